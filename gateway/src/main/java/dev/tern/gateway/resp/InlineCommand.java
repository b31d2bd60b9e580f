package dev.tern.gateway.resp;

import java.io.ByteArrayOutputStream;
import java.util.List;

/// Splits a line into words as Redis does: `"..."` with escapes, `'...'` without but `\\'`.
final class InlineCommand {
  private final String line;
  private int at;

  private InlineCommand(String line) {
    this.line = line;
  }

  /// Appends the words of a line of Latin-1.
  ///
  /// @throws RespDecoder.ProtocolException if a quote is not closed, or a closing one is not the
  ///   word's end
  static void split(String line, List<byte[]> words) {
    InlineCommand rest = new InlineCommand(line);
    while (rest.skipSpace()) {
      words.add(rest.word());
    }
  }

  private boolean skipSpace() {
    while (at < line.length() && isSpace(line.charAt(at))) {
      at++;
    }
    return at < line.length();
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c >= '\t' && c <= '\r' || c == 0;
  }

  private byte[] word() {
    ByteArrayOutputStream word = new ByteArrayOutputStream();
    while (at < line.length() && !isSpace(line.charAt(at))) {
      char c = line.charAt(at++);
      if (c == '"' || c == '\'') {
        quoted(c, word);
      } else {
        word.write(c);
      }
    }
    return word.toByteArray();
  }

  /// Behind an opening quote: takes what follows up to the closing one.
  private void quoted(char quote, ByteArrayOutputStream word) {
    while (at < line.length()) {
      char c = line.charAt(at++);
      if (c == quote) {
        if (at < line.length() && !isSpace(line.charAt(at))) {
          break;
        }
        return;
      }
      boolean escape = c == '\\' && at < line.length();
      if (escape && quote == '"') {
        word.write(escaped());
      } else if (escape && line.charAt(at) == quote) {
        word.write(line.charAt(at++));
      } else {
        word.write(c);
      }
    }
    throw new RespDecoder.ProtocolException("Protocol error: unbalanced quotes in request");
  }

  /// Behind a backslash in double quotes.
  private int escaped() {
    char c = line.charAt(at++);
    if (c == 'x' && at + 2 <= line.length()) {
      int high = Character.digit(line.charAt(at), 16);
      int low = Character.digit(line.charAt(at + 1), 16);
      if (high >= 0 && low >= 0) {
        at += 2;
        return high << 4 | low;
      }
    }
    return switch (c) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'b' -> '\b';
      case 'a' -> 7;
      default -> c;
    };
  }
}
