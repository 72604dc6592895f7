/*
 * Why packets were dropped: the tracepoint skb:kfree_skb, of what this very process sets off. The network stack runs
 * inside our system calls, so nothing of other processes is seen. Where the kernel has no such tracepoint, nothing is told.
 */
#pragma once
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hex.h"

enum { RING_PAGES = 64 };

/** The tracepoint's format: it names the reasons. */
static char tracepoint[32768];
static struct perf_event_mmap_page *ring;
static size_t ring_size, reason_offset;

static size_t read_text(const char *path, char *into, size_t room) {
  size_t length = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  for (ssize_t got; length < room && (got = read(fd, into + length, room - length)) > 0;) length += got;
  close(fd);
  return length;
}

static int open_tracepoint(void) {
  const char *format = "/sys/kernel/tracing/events/skb/kfree_skb/format";
  if (access(format, R_OK)) mount("none", "/sys/kernel/tracing", "tracefs", 0, NULL);
  if (read_text(format, tracepoint, sizeof tracepoint - 1) == 0) return -1;
  const char *id = strstr(tracepoint, "ID:"), *field = strstr(tracepoint, " reason;");
  if (id == NULL || field == NULL || (field = strstr(field, "offset:")) == NULL) return -1;
  reason_offset = strtoul(field + 7, NULL, 10);
  struct perf_event_attr wanted = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof wanted, .sample_type = PERF_SAMPLE_RAW, .sample_period = 1 };
  wanted.config = strtoul(id + 3, NULL, 10);
  return syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/** Mounts what it needs in a mount namespace of our own. */
static void watch_drops(void) {
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return;
  int fd = open_tracepoint();
  if (fd < 0) return;
  ring_size = (size_t)RING_PAGES * getpagesize();
  void *at = mmap(NULL, getpagesize() + ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) ring = at;
}

static void copy_from_ring(void *into, size_t from, size_t length) {
  const unsigned char *data = (unsigned char *)ring + getpagesize();
  for (size_t i = 0; i < length; i++) ((unsigned char *)into)[i] = data[(from + i) % ring_size];
}

/** Takes all events off the ring, and prints their reasons unless they are to be forgotten. */
static void take_drops(int forget) {
  if (ring == NULL) return;
  size_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE), at = ring->data_tail;
  while (at < head) {
    struct perf_event_header header;
    unsigned reason;
    copy_from_ring(&header, at, sizeof header);
    copy_from_ring(&reason, at + sizeof header + sizeof(unsigned) + reason_offset, sizeof reason);
    if (header.type == PERF_RECORD_SAMPLE && !forget) printf(" D%u", reason);
    at += header.size;
  }
  __atomic_store_n(&ring->data_tail, head, __ATOMIC_RELEASE);
}
