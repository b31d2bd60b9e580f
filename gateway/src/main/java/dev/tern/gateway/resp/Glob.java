package dev.tern.gateway.resp;

/// Redis's patterns: `*`, `?`, `[a-z]`, `[^a]`, `\x`. Bytes, not characters.
final class Glob {
  private Glob() {}

  static boolean matches(byte[] pattern, byte[] text) {
    int p = 0;
    int t = 0;
    int star = -1;
    int resume = 0;
    while (t < text.length) {
      int next = p < pattern.length ? one(pattern, p, text[t]) : -1;
      if (p < pattern.length && pattern[p] == '*') {
        star = p++;
        resume = t;
      } else if (next > 0) {
        p = next;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++resume;
      } else {
        return false;
      }
    }
    while (p < pattern.length && pattern[p] == '*') {
      p++;
    }
    return p == pattern.length;
  }

  /// Where the pattern goes on after it matched one byte at `p`, -1 if it did not match.
  private static int one(byte[] pattern, int p, byte c) {
    switch (pattern[p]) {
      case '?' -> {
        return p + 1;
      }
      case '[' -> {
        return set(pattern, p, c);
      }
      case '\\' -> {
        int escaped = p + 1 < pattern.length ? p + 1 : p;
        return pattern[escaped] == c ? escaped + 1 : -1;
      }
      default -> {
        return pattern[p] == c ? p + 1 : -1;
      }
    }
  }

  private static int set(byte[] pattern, int open, byte c) {
    int p = open + 1;
    boolean not = p < pattern.length && pattern[p] == '^';
    if (not) {
      p++;
    }
    boolean in = false;
    while (p < pattern.length && pattern[p] != ']') {
      if (p + 2 < pattern.length && pattern[p + 1] == '-') {
        int low = Math.min(pattern[p] & 0xff, pattern[p + 2] & 0xff);
        int high = Math.max(pattern[p] & 0xff, pattern[p + 2] & 0xff);
        in |= (c & 0xff) >= low && (c & 0xff) <= high;
        p += 3;
      } else {
        if (pattern[p] == '\\' && p + 1 < pattern.length) {
          p++;
        }
        in |= pattern[p] == c;
        p++;
      }
    }
    return in == not ? -1 : Math.min(p + 1, pattern.length);
  }
}
