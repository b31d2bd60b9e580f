package dev.tern.gateway.resp;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// The bytes of replies in RESP2 or RESP3.
public final class RespWriter {
  private static final byte[] OK = "+OK\r\n".getBytes(StandardCharsets.US_ASCII);

  private RespWriter() {}

  /// Appends a reply.
  public static void write(Reply reply, int protocol, ByteBuf out) {
    switch (reply) {
      case Reply.Simple simple -> {
        if (simple == Reply.OK) {
          out.writeBytes(OK);
        } else {
          line(out, '+', simple.text());
        }
      }
      case Reply.Error error -> line(out, '-', error.text().replace('\n', ' ').replace('\r', ' '));
      case Reply.Number number -> number(out, ':', number.value());
      case Reply.Bulk bulk -> bulk(bulk, protocol, out);
      case Reply.Text text -> text(text, protocol, out);
      case Reply.Array array -> {
        number(out, '*', array.elements().size());
        for (Reply element : array.elements()) {
          write(element, protocol, out);
        }
      }
      case Reply.Pairs pairs -> {
        int size = pairs.entries().size();
        number(out, protocol == 3 ? '%' : '*', protocol == 3 ? size : 2L * size);
        for (Map.Entry<String, ? extends Reply> entry : pairs.entries().entrySet()) {
          write(Reply.text(entry.getKey()), protocol, out);
          write(entry.getValue(), protocol, out);
        }
      }
    }
  }

  private static void bulk(Reply.Bulk bulk, int protocol, ByteBuf out) {
    byte[] value = bulk.value();
    if (value == null) {
      out.writeCharSequence(protocol == 3 ? "_\r\n" : "$-1\r\n", StandardCharsets.US_ASCII);
      return;
    }
    number(out, '$', value.length);
    out.writeBytes(value).writeByte('\r').writeByte('\n');
  }

  private static void text(Reply.Text text, int protocol, ByteBuf out) {
    byte[] bytes = text.text().getBytes(StandardCharsets.UTF_8);
    if (protocol == 3 && text.verbatim()) {
      number(out, '=', bytes.length + 4L);
      out.writeCharSequence("txt:", StandardCharsets.US_ASCII);
    } else {
      number(out, '$', bytes.length);
    }
    out.writeBytes(bytes).writeByte('\r').writeByte('\n');
  }

  private static void line(ByteBuf out, char type, String text) {
    out.writeByte(type);
    out.writeCharSequence(text, StandardCharsets.UTF_8);
    out.writeByte('\r').writeByte('\n');
  }

  private static void number(ByteBuf out, char type, long value) {
    out.writeByte(type);
    if (value >= 0 && value < 10) {
      out.writeByte('0' + (int) value);
    } else if (value >= 10 && value < 100_000) {
      int digits = (int) value;
      int divisor = digits < 100 ? 10 : digits < 1_000 ? 100 : digits < 10_000 ? 1_000 : 10_000;
      for (; divisor > 0; divisor /= 10) {
        out.writeByte('0' + digits / divisor % 10);
      }
    } else {
      out.writeCharSequence(Long.toString(value), StandardCharsets.US_ASCII);
    }
    out.writeByte('\r').writeByte('\n');
  }
}
