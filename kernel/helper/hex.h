/* Bytes as text: what commands and answers are written in. */
#pragma once
#include <stdio.h>

enum { MAX_BYTES = 4 << 20 };

/** Of the command, or of the message, that is being worked on. */
static unsigned char bytes[MAX_BYTES];

static void put_hex(const void *data, size_t length) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *from = data;
  if (length == 0) putchar('-');
  for (size_t i = 0; i < length; i++) {
    putchar(digits[from[i] >> 4]);
    putchar(digits[from[i] & 15]);
  }
}

static int digit(int c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

/** Decodes into `bytes`; how many there are. `-` stands for none. */
static size_t get_hex(const char *text) {
  size_t length = 0;
  if (text[0] == '-') return 0;
  for (; text[0] && text[1] && length < MAX_BYTES; text += 2) bytes[length++] = digit(text[0]) << 4 | digit(text[1]);
  return length;
}
