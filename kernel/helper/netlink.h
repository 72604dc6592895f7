/* Sockets to netfilter. What the messages say is the other side's business. */
#pragma once
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "hex.h"

enum { QUESTIONS, LOG, TRACE, FLOWS, SOCKETS };
enum { RECEIVE_BUFFER = 64 << 20, PATIENCE = 5 };

/** NFNLGRP_NFTRACE and NFNLGRP_CONNTRACK_NEW. */
static const int groups[SOCKETS] = { [TRACE] = 9, [FLOWS] = 1 };
static int netlink_sockets[SOCKETS];

static int open_netlink(int group) {
  int size = RECEIVE_BUFFER, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  struct sockaddr_nl self = { .nl_family = AF_NETLINK };
  struct timeval patience = { .tv_sec = PATIENCE };
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (bind(fd, (void *)&self, sizeof self)) return -1;
  if (group && setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group)) return -1;
  return fd;
}

static int open_netlinks(void) {
  for (int i = 0; i < SOCKETS; i++) if ((netlink_sockets[i] = open_netlink(groups[i])) < 0) return -1;
  return 0;
}

/** Reads answers up to the end of a dump, an acknowledgement or an error, whose number it returns. */
static int read_answers(int fd, unsigned char *answers, size_t room, size_t *used) {
  for (;;) {
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) return got < 0 ? errno : EPIPE;
    for (struct nlmsghdr *one = (void *)bytes; NLMSG_OK(one, got); one = NLMSG_NEXT(one, got)) {
      if (one->nlmsg_type == NLMSG_DONE) return 0;
      if (one->nlmsg_type == NLMSG_ERROR) return -*(int *)NLMSG_DATA(one);
      size_t length = NLMSG_ALIGN(one->nlmsg_len);
      if (*used + length > room) return ENOBUFS;
      memcpy(answers + *used, one, length);
      *used += length;
    }
  }
}

/** Sends a request, a dump or a batch. */
static void ask(int number, const char *message) {
  static unsigned char answers[MAX_BYTES];
  size_t used = 0, length = get_hex(message);
  int fd = netlink_sockets[number];
  if (number == QUESTIONS) while (recv(fd, answers, sizeof answers, MSG_DONTWAIT) > 0) continue;
  int failed = send(fd, bytes, length, 0) < 0 ? errno : read_answers(fd, answers, sizeof answers, &used);
  printf("ok %d ", failed);
  put_hex(answers, used);
  putchar('\n');
}

static void put_messages(int number, char kind) {
  for (ssize_t got; (got = recv(netlink_sockets[number], bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
    printf(" %c", kind);
    put_hex(bytes, got);
  }
  if (errno == ENOBUFS) printf(" !lost");
}
