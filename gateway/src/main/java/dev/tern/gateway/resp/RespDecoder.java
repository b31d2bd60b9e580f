package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Keyspace;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Takes requests out of a client's bytes: arrays of bulk strings, or inline commands as `telnet`
/// sends them. One connection, one thread; keeps its place in a request that has not arrived whole.
public final class RespDecoder {
  /// Arguments of one request; more is a protocol error, as in Redis.
  public static final int MAX_ARGUMENTS = 1 << 20;

  /// A longer bulk string is a protocol error, as in Redis; one that is longer than a value may be
  /// is read past without being kept.
  public static final int MAX_BULK_BYTES = 512 << 20;

  private static final int MAX_INLINE_BYTES = 64 << 10;
  private static final int MAX_NUMBER_BYTES = 32;
  private static final int MAX_SHORT_DIGITS = 5;
  private static final int MAX_KEPT_BYTES = Keyspace.MAX_VALUE_BYTES;

  /// The whole of a request's arguments; more is read past without being kept.
  private static final long MAX_REQUEST_BYTES = 4L * Keyspace.MAX_VALUE_BYTES;

  /// A request.
  ///
  /// @param arguments the command's name first; empty if it was too large
  /// @param tooLarge why it was read past, null if it was not
  public record Request(List<byte[]> arguments, @Nullable String tooLarge) {}

  /// Bytes that are no request: answer with the message and close.
  public static final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ProtocolException(String message) {
      super(message, null, false, false);
    }
  }

  private static final byte[] NOTHING = {};

  /// What has come of the present bulk string.
  private byte[] gathered = NOTHING;

  private int filled;
  private int missing;
  private int bulk = -1;
  private long skipping;

  /// Of the present request: what its bulk strings say, and what of them has come whole.
  private long announced;

  private long requestBytes;
  private @Nullable String tooLarge;
  private List<byte[]> arguments = new ArrayList<>(4);

  /// The next request, null if it has not arrived whole; takes what it can from `in`.
  ///
  /// @throws ProtocolException if the bytes cannot be a request
  public @Nullable Request next(ByteBuf in) {
    while (true) {
      if (skipping > 0) {
        int count = (int) Math.min(skipping, in.readableBytes());
        in.skipBytes(count);
        skipping -= count;
        if (skipping > 0) {
          return null;
        }
        bulk = -1;
        missing--;
      } else if (bulk >= 0) {
        if (!takeBulk(in)) {
          return null;
        }
      } else if (missing > 0) {
        if (!bulkLength(in)) {
          return null;
        }
        continue;
      } else if (!header(in)) {
        return null;
      } else if (missing == 0 && arguments.isEmpty()) {
        continue;
      }
      if (missing == 0) {
        return finish();
      }
    }
  }

  private Request finish() {
    Request request = new Request(tooLarge == null ? arguments : List.of(), tooLarge);
    arguments = new ArrayList<>(4);
    announced = 0;
    requestBytes = 0;
    tooLarge = null;
    return request;
  }

  /// Takes what there is of a bulk string; true if it is whole. A large one gathers here, not in
  /// the connection's buffer, and takes memory as it comes: not what it says it will need.
  private boolean takeBulk(ByteBuf in) {
    if (filled < bulk) {
      if (filled == 0 && in.readableBytes() >= bulk) {
        gathered = new byte[bulk];
      }
      int count = Math.min(bulk - filled, in.readableBytes());
      if (filled + count > gathered.length) {
        int room = (int) Math.min(bulk, Math.max(filled + count, 2L * gathered.length));
        gathered = java.util.Arrays.copyOf(gathered, room);
      }
      in.readBytes(gathered, filled, count);
      filled += count;
    }
    if (filled < bulk || in.readableBytes() < 2) {
      return false;
    }
    if (in.readByte() != '\r' || in.readByte() != '\n') {
      throw new ProtocolException("Protocol error: a bulk string does not end where it says");
    }
    arguments.add(gathered.length == bulk ? gathered : java.util.Arrays.copyOf(gathered, bulk));
    requestBytes += bulk;
    gathered = NOTHING;
    filled = 0;
    bulk = -1;
    missing--;
    return true;
  }

  /// Bytes of memory that the request which has not come whole takes, about.
  public long incompleteBytes() {
    return gathered.length + requestBytes + 32L * arguments.size();
  }

  /// Bytes of the present bulk string that have not come.
  public long missingBytes() {
    return skipping > 0 ? skipping : Math.max(0, bulk - filled);
  }

  /// Reads `$n`; false if it is not there yet.
  private boolean bulkLength(ByteBuf in) {
    int length = shortNumber(in, '$');
    if (length < 0) {
      int end = lineEnd(in, MAX_NUMBER_BYTES, "Protocol error: too big bulk count string");
      if (end < 0) {
        return false;
      }
      char type = (char) in.getUnsignedByte(in.readerIndex());
      if (type != '$') {
        char got = Character.isISOControl(type) ? ' ' : type;
        throw new ProtocolException("Protocol error: expected '$', got '" + got + "'");
      }
      length = number(in, end, 0, MAX_BULK_BYTES, "Protocol error: invalid bulk length");
    }
    announced += length;
    if (length > MAX_KEPT_BYTES || announced > MAX_REQUEST_BYTES) {
      tooLarge =
          "ERR a value of %d bytes is too large, at most %d fit".formatted(length, MAX_KEPT_BYTES);
      arguments.clear();
      bulk = length;
      skipping = length + 2L;
    } else if (tooLarge != null) {
      bulk = length;
      skipping = length + 2L;
    } else {
      bulk = length;
    }
    return true;
  }

  /// Reads `*n` or an inline command; false if it is not there yet.
  private boolean header(ByteBuf in) {
    if (!in.isReadable()) {
      return false;
    }
    int count = shortNumber(in, '*');
    if (count >= 0) {
      missing = count;
      return true;
    }
    if (in.getByte(in.readerIndex()) == '*') {
      int end = lineEnd(in, MAX_NUMBER_BYTES, "Protocol error: too big mbulk count string");
      if (end < 0) {
        return false;
      }
      String error = "Protocol error: invalid multibulk length";
      // As Redis does, a count below 0 is passed over.
      missing = Math.max(0, number(in, end, Integer.MIN_VALUE, MAX_ARGUMENTS, error));
      return true;
    }
    int end = lineEnd(in, MAX_INLINE_BYTES, "Protocol error: too big inline request");
    if (end < 0) {
      return false;
    }
    String line = in.readString(end - in.readerIndex(), StandardCharsets.ISO_8859_1);
    in.skipBytes(1);
    InlineCommand.split(line, arguments);
    return true;
  }

  /// Reads `type`, one to five digits and a line's end, as clients nearly always send them. Five
  /// digits are within all bounds.
  ///
  /// @return the number; -1 if the bytes are another line, or have not all come: nothing was read
  private static int shortNumber(ByteBuf in, char type) {
    int start = in.readerIndex();
    int end = in.writerIndex();
    if (end - start < 4 || in.getByte(start) != type) {
      return -1;
    }
    int value = 0;
    int last = Math.min(end - 2, start + 1 + MAX_SHORT_DIGITS);
    for (int at = start + 1; at <= last; at++) {
      int digit = in.getByte(at) - '0';
      if (digit >= 0 && digit <= 9 && at <= start + MAX_SHORT_DIGITS) {
        value = 10 * value + digit;
      } else if (at > start + 1 && digit == '\r' - '0' && in.getByte(at + 1) == '\n') {
        in.readerIndex(at + 2);
        return value;
      } else {
        return -1;
      }
    }
    return -1;
  }

  /// Reads a type byte and a number up to the line's end, and skips that.
  private static int number(ByteBuf in, int lineEnd, int least, int most, String error) {
    int at = in.readerIndex() + 1;
    int end = lineEnd > at && in.getByte(lineEnd - 1) == '\r' ? lineEnd - 1 : lineEnd;
    boolean negative = at < end && in.getByte(at) == '-';
    at += negative ? 1 : 0;
    if (at >= end) {
      throw new ProtocolException(error);
    }
    long value = 0;
    for (; at < end; at++) {
      int digit = in.getByte(at) - '0';
      value = value * 10 + digit;
      if (digit < 0 || digit > 9 || value > Integer.MAX_VALUE && !negative) {
        throw new ProtocolException(error);
      }
      value = Math.min(value, Integer.MAX_VALUE);
    }
    value = negative ? -value : value;
    if (value < least || value > most) {
      throw new ProtocolException(error);
    }
    in.readerIndex(lineEnd + 1);
    return (int) value;
  }

  /// Where the line's last byte is, -1 if it has not come.
  private static int lineEnd(ByteBuf in, int most, String error) {
    int end = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\n');
    int length = end < 0 ? in.readableBytes() : end - in.readerIndex();
    if (length > most) {
      throw new ProtocolException(error);
    }
    return end;
  }
}
