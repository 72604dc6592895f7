/* TAP and TUN devices: a frame written comes in, what is read was sent out. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "hex.h"

enum { MAX_DEVICES = 64 };
static int devices[MAX_DEVICES], device_count;

static struct ifreq named(const char *name) {
  struct ifreq request = { 0 };
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  return request;
}

static int change(unsigned long what, struct ifreq *request) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result = ioctl(fd, what, request);
  close(fd);
  return result;
}

/** Without ARP: the neighbours are there, and never asked for. */
static int bring_up(const char *name) {
  struct ifreq request = named(name);
  if (change(SIOCGIFFLAGS, &request)) return -1;
  request.ifr_flags |= strcmp(name, "lo") ? IFF_UP | IFF_NOARP : IFF_UP;
  return change(SIOCSIFFLAGS, &request);
}

static int set_mac(const char *name, const char *mac) {
  struct ifreq request = named(name);
  request.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
  if (get_hex(mac) != 6) return 0;
  memcpy(request.ifr_hwaddr.sa_data, bytes, 6);
  return change(SIOCSIFHWADDR, &request);
}

static int set_mtu(const char *name, const char *mtu) {
  struct ifreq request = named(name);
  request.ifr_mtu = atoi(mtu);
  return change(SIOCSIFMTU, &request);
}

static int make_device(const char *name, const char *kind, const char *mac, const char *mtu) {
  struct ifreq request = named(name);
  request.ifr_flags = (strcmp(kind, "tap") ? IFF_TUN : IFF_TAP) | IFF_NO_PI;
  int fd = device_count < MAX_DEVICES ? open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request)) return -1;
  devices[device_count++] = fd;
  return set_mac(name, mac) || set_mtu(name, mtu) || bring_up(name) ? -1 : 0;
}

static int write_frame(int number, const char *frame) {
  if (number < 0 || number >= device_count) return ENODEV;
  size_t length = get_hex(frame);
  return write(devices[number], bytes, length) < 0 ? errno : 0;
}

static void put_frames(void) {
  for (int number = 0; number < device_count; number++) {
    for (ssize_t got; (got = read(devices[number], bytes, sizeof bytes)) > 0;) {
      printf(" F%d:", number);
      put_hex(bytes, got);
    }
  }
}
