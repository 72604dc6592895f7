/*
 * The hands of the kernel harness: what Node cannot do itself. It makes network namespaces, devices, raw sockets and
 * netlink sockets, and knows nothing of what goes through them.
 *
 * One command a line on stdin, one answer a line on stdout; bytes in hexadecimal, `-` where there are none.
 *   fresh                               leave the namespace for a new one              ok
 *   device NAME tap|tun MAC|- MTU       make a device and bring it up                  ok
 *   sysctl PATH VALUE                   write below /proc/sys                          ok
 *   exec INPUT PROGRAM ARGS...          run a program                                  ok STATUS STDOUT STDERR
 *   netlink SOCKET MESSAGE              0: questions, 1: the packet log                ok ERRNO ANSWERS
 *   frame DEVICE BYTES                  devices are counted from 0                     ok ERRNO
 *   local 4|6 UID GID MARK TO BYTES     a packet with its IP header, by a raw socket   ok ERRNO
 *   sleep MILLISECONDS                                                                 ok
 *   settle                              wait until all IPv6 addresses are in use       ok
 *   gather                              what happened since: L log, T trace, C new flows,
 *                                       F frames that left, D reasons of drops; in
 *                                       order within each kind                         ok L… T… C… F0:… D2 …
 *   reasons                             the names of those reasons                     ok TEXT
 */

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/ipv6_route.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "devices.h"
#include "drops.h"
#include "hex.h"
#include "netlink.h"

/** For experiments (IEEE Std 802): no protocol of the kernel's listens to it. */
enum { SENTINEL_TYPE = 0x88b5, MAX_WORDS = 64, CLOSERS = 4 };

static int sentinel = -1;

static void answer(int failed, const char *what) {
  if (failed) printf("error %s: %s\n", what, strerror(errno));
  else puts("ok");
}

static void *close_all(void *list) {
  for (int *fd = list; *fd >= 0; fd++) close(*fd);
  free(list);
  return NULL;
}

/** Closing waits for RCU grace periods, tens of milliseconds of doing nothing: it is done aside, a few at a time. */
static void close_aside(int *list) {
  static pthread_t closers[CLOSERS];
  static int started;
  pthread_t *slot = &closers[started % CLOSERS];
  if (started++ >= CLOSERS) pthread_join(*slot, NULL);
  if (pthread_create(slot, NULL, close_all, list)) abort();
}

static void leave_namespace(void) {
  int count = 0, *list = malloc((SOCKETS + MAX_DEVICES + 2) * sizeof *list);
  if (list == NULL) abort();
  for (int i = 0; i < SOCKETS; i++) list[count++] = netlink_sockets[i];
  while (device_count > 0) list[count++] = devices[--device_count];
  list[count++] = sentinel;
  list[count] = -1;
  close_aside(list);
}

static int enter_fresh_namespace(void) {
  if (sentinel >= 0) leave_namespace();
  if (unshare(CLONE_NEWNET) || bring_up("lo") || open_netlinks()) return -1;
  sentinel = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(SENTINEL_TYPE));
  take_drops(1);
  return sentinel < 0 ? -1 : 0;
}

static int write_sysctl(const char *path, const char *value) {
  char file[512];
  snprintf(file, sizeof file, "/proc/sys/%s", path);
  int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t done = write(fd, value, strlen(value));
  close(fd);
  return done < 0 ? -1 : 0;
}

static void put_file(int fd) {
  off_t length = lseek(fd, 0, SEEK_END);
  void *at = length > 0 ? mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0) : NULL;
  putchar(' ');
  put_hex(at, length);
  if (at != NULL) munmap(at, length);
  close(fd);
}

static void run_program(const char *input, char **words) {
  int status = -1, from = memfd_create("in", MFD_CLOEXEC), to = memfd_create("out", MFD_CLOEXEC), errors = memfd_create("err", MFD_CLOEXEC);
  if (write(from, bytes, get_hex(input)) < 0) perror("exec");
  lseek(from, 0, SEEK_SET);
  pid_t child = vfork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(from, 0);
    dup2(to, 1);
    dup2(errors, 2);
    execvp(words[0], words);
    _exit(127);
  }
  close(from);
  waitpid(child, &status, 0);
  printf("ok %d", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
  put_file(to);
  put_file(errors);
  putchar('\n');
}

/** The file's owner is what `-m owner` reads, and that is the file-system uid of whoever opened it. */
static int open_raw(int family, unsigned uid, unsigned gid, unsigned mark) {
  int one = 1;
  setfsgid(gid);
  setfsuid(uid);
  int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  setfsuid(0);
  setfsgid(0);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &one, sizeof one);
  else setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
  return fd;
}

static int send_local(int family, int fd, const char *to, const char *packet) {
  struct sockaddr_in ipv4 = { .sin_family = AF_INET };
  struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
  size_t length = get_hex(packet);
  int is_ipv6 = family == AF_INET6;
  inet_pton(family, to, is_ipv6 ? (void *)&ipv6.sin6_addr : (void *)&ipv4.sin_addr);
  ssize_t sent = sendto(fd, bytes, length, 0, is_ipv6 ? (void *)&ipv6 : (void *)&ipv4, is_ipv6 ? sizeof ipv6 : sizeof ipv4);
  int failed = sent < 0 ? errno : 0;
  close(fd);
  return failed;
}

/** Packets on lo wait in this CPU's backlog: once a frame of our own has come through behind them, so have they. */
static void wait_for_backlog(void) {
  unsigned char frame[60] = { [12] = SENTINEL_TYPE >> 8, [13] = SENTINEL_TYPE & 255 };
  struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_protocol = htons(SENTINEL_TYPE), .sll_ifindex = if_nametoindex("lo") };
  struct pollfd ready = { .fd = sentinel, .events = POLLIN };
  if (sendto(sentinel, frame, sizeof frame, 0, (void *)&lo, sizeof lo) < 0) return;
  if (poll(&ready, 1, PATIENCE * 1000) == 1) while (recv(sentinel, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

static void gather(void) {
  wait_for_backlog();
  printf("ok");
  put_messages(LOG, 'L');
  put_messages(TRACE, 'T');
  put_messages(FLOWS, 'C');
  put_frames();
  take_drops(0);
  putchar('\n');
}

/** Whether packets to this address are the host's own: a route of the address's prefix, which is there before, does not say so. */
static int has_local_route(const char *address, const char *routes) {
  char start[40];
  unsigned flags;
  snprintf(start, sizeof start, "%s 80 ", address);
  for (const char *at = routes; (at = strstr(at, start)) != NULL; at++) {
    if (sscanf(at, "%*s %*s %*s %*s %*s %*s %*s %*s %x", &flags) == 1 && (flags & RTF_LOCAL)) return 1;
  }
  return 0;
}

/** Whether an address of this line of /proc/net/if_inet6 is not tentative (0x40), and is the host's. */
static int is_settled(const char *line, const char *routes) {
  char address[33];
  unsigned state;
  if (sscanf(line, "%32s %*x %*x %*x %x", address, &state) != 2) return 1;
  return (state & 0x40) == 0 && has_local_route(address, routes);
}

static int are_all_settled(void) {
  static char addresses[1 << 16], routes[1 << 18];
  addresses[read_text("/proc/net/if_inet6", addresses, sizeof addresses - 1)] = 0;
  routes[read_text("/proc/net/ipv6_route", routes, sizeof routes - 1)] = 0;
  for (const char *line = addresses; *line; line += strcspn(line, "\n") + 1) if (!is_settled(line, routes)) return 0;
  return 1;
}

/** The kernel takes IPv6 addresses into use by a worker of its own, a moment later; on a busy machine, some seconds. */
static int settle(void) {
  for (int tries = 0; tries < PATIENCE * 8000; tries++) {
    if (are_all_settled()) return 0;
    usleep(500);
  }
  errno = ETIMEDOUT;
  return -1;
}

static void carry_out(char **words, int count) {
  const char *name = words[0];
  if (!strcmp(name, "fresh")) answer(enter_fresh_namespace(), name);
  else if (sentinel < 0 && strcmp(name, "reasons")) printf("error %s: there is no namespace of our own yet\n", name);
  else if (!strcmp(name, "device") && count == 5) answer(make_device(words[1], words[2], words[3], words[4]), words[1]);
  else if (!strcmp(name, "sysctl") && count == 3) answer(write_sysctl(words[1], words[2]), words[1]);
  else if (!strcmp(name, "exec") && count > 2) run_program(words[1], words + 2);
  else if (!strcmp(name, "netlink") && count == 3) ask(atoi(words[1]), words[2]);
  else if (!strcmp(name, "frame") && count == 3) printf("ok %d\n", write_frame(atoi(words[1]), words[2]));
  else if (!strcmp(name, "local") && count == 7) {
    int family = words[1][0] == '6' ? AF_INET6 : AF_INET;
    int fd = open_raw(family, strtoul(words[2], NULL, 10), strtoul(words[3], NULL, 10), strtoul(words[4], NULL, 10));
    printf("ok %d\n", send_local(family, fd, words[5], words[6]));
  } else if (!strcmp(name, "sleep") && count == 2) answer(usleep(atoi(words[1]) * 1000), name);
  else if (!strcmp(name, "settle")) answer(settle(), name);
  else if (!strcmp(name, "gather")) gather();
  else if (!strcmp(name, "reasons")) {
    printf("ok ");
    put_hex(tracepoint, strlen(tracepoint));
    putchar('\n');
  } else printf("error unknown command %s\n", name);
}

/** All on one CPU: its backlog is then the only one to wait for. */
static void stay_on_this_cpu(void) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  sched_setaffinity(0, sizeof here, &here);
}

int main(void) {
  char *line = NULL, *words[MAX_WORDS + 1];
  size_t room = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  stay_on_this_cpu();
  watch_drops();
  while (getline(&line, &room, stdin) > 0) {
    int count = 0;
    for (char *word = strtok(line, " \n"); word && count < MAX_WORDS; word = strtok(NULL, " \n")) words[count++] = word;
    words[count] = NULL;
    if (count > 0) carry_out(words, count);
    fflush(stdout);
  }
  return 0;
}
