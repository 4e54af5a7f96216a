// zlib, with the call of it that is a macro.
#pragma once
#include <zlib.h>

// 16 above the largest window: a gzip header and trailer (RFC 1952), and nothing else.
static inline int czlib_inflate_init(z_stream *stream) {
  return inflateInit2(stream, 16 + MAX_WBITS);
}
