package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.server.TernServer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The Riak door, byte by byte; the official client is in scripts/clients.
@Timeout(60)
class RiakDoorTest {
  private static final int GET = 9;
  private static final int PUT = 11;

  @TempDir static Path data;

  private static TernServer server;

  @BeforeAll
  static void start() throws IOException {
    server = TernServer.start(Servers.alone(data), Servers.BROKEN);
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  /// A client by hand.
  private static final class Wire implements AutoCloseable {
    private final Socket socket = new Socket("127.0.0.1", server.port("riak"));
    private final DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    private final DataInputStream in = new DataInputStream(socket.getInputStream());

    Wire() throws IOException {
      socket.setSoTimeout(20_000);
    }

    void send(int code, byte[] message) throws IOException {
      ByteArrayOutputStream frame = new ByteArrayOutputStream();
      DataOutputStream bytes = new DataOutputStream(frame);
      bytes.writeInt(1 + message.length);
      bytes.writeByte(code);
      bytes.write(message);
      out.write(frame.toByteArray());
      out.flush();
    }

    /// The code, followed by the message.
    byte[] receive() throws IOException {
      byte[] frame = new byte[in.readInt()];
      in.readFully(frame);
      return frame;
    }

    byte[] ask(int code, byte[] message) throws IOException {
      send(code, message);
      return receive();
    }

    boolean ended() throws IOException {
      return in.read() < 0;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  /// Fields that are byte strings shorter than 128.
  private static byte[] fields(Object... numberAndBytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < numberAndBytes.length; i += 2) {
      byte[] bytes =
          numberAndBytes[i + 1] instanceof byte[] raw
              ? raw
              : numberAndBytes[i + 1].toString().getBytes(StandardCharsets.UTF_8);
      out.write((int) numberAndBytes[i] << 3 | 2);
      out.write(bytes.length);
      out.writeBytes(bytes);
    }
    return out.toByteArray();
  }

  private static String text(byte[] frame) {
    return new String(frame, StandardCharsets.ISO_8859_1);
  }

  @Test
  void pingAndServerInfo() throws IOException {
    try (Wire wire = new Wire()) {
      assertArrayEquals(new byte[] {2}, wire.ask(1, new byte[0]));
      byte[] info = wire.ask(7, new byte[0]);
      assertEquals(8, info[0]);
      assertTrue(text(info).contains("tern@127.0.0.1"));
    }
  }

  @Test
  void answersComeInTheOrderOfTheirRequests() throws IOException {
    try (Wire wire = new Wire()) {
      for (int i = 0; i < 200; i++) {
        byte[] content = fields(1, "value-" + i);
        wire.send(PUT, fields(1, "order", 2, "k" + i, 4, content));
        wire.send(GET, fields(1, "order", 2, "k" + i));
        wire.send(1, new byte[0]);
      }
      for (int i = 0; i < 200; i++) {
        assertEquals(12, wire.receive()[0]);
        byte[] got = wire.receive();
        assertEquals(10, got[0]);
        assertTrue(text(got).contains("value-" + i), text(got));
        assertEquals(2, wire.receive()[0]);
      }
    }
  }

  @Test
  void whatCannotBeServedIsRefusedAndTheConnectionServesOn() throws IOException {
    try (Wire wire = new Wire()) {
      assertTrue(text(wire.ask(GET, fields(1, "", 2, "k"))).contains("Bucket cannot be zero"));
      assertTrue(text(wire.ask(GET, fields(1, "b", 2, ""))).contains("Key cannot be zero"));
      assertTrue(text(wire.ask(GET, fields(1, "b"))).contains("Key cannot be zero"));
      assertTrue(text(wire.ask(PUT, fields(1, "b", 2, "k"))).contains("a put needs content"));
      assertTrue(text(wire.ask(77, new byte[0])).contains("Unknown message code: 77"));
      assertTrue(text(wire.ask(GET, new byte[] {10, 127, 1})).contains("cannot be read"));
      byte[] typed = fields(1, "b", 2, "k", 13, "redis");
      assertTrue(text(wire.ask(GET, typed)).contains("No bucket-type named 'redis' (no_type)"));
      byte[] clock = fields(1, "b", 2, "k", 3, new byte[] {9, 9}, 4, fields(1, "v"));
      assertTrue(text(wire.ask(PUT, clock)).contains("not one of this key"));
      assertArrayEquals(new byte[] {2}, wire.ask(1, new byte[0]));
    }
  }

  @Test
  void aFrameTooLongIsRefusedAndClosesTheConnection() throws IOException {
    for (int length : new int[] {0, -1, Integer.MAX_VALUE}) {
      try (Wire wire = new Wire()) {
        wire.out.writeInt(length);
        wire.out.flush();
        byte[] error = wire.receive();
        assertEquals(0, error[0]);
        assertTrue(wire.ended());
      }
    }
  }

  @Test
  void noBytesBreakTheServer() throws IOException {
    Random random = new Random(5);
    for (int round = 0; round < 300; round++) {
      try (Wire wire = new Wire()) {
        byte[] message = new byte[random.nextInt(60)];
        random.nextBytes(message);
        byte[] good = fields(1, "b", 2, "k", 4, fields(1, "v"));
        if (random.nextBoolean()) {
          message = good;
          message[random.nextInt(message.length)] = (byte) random.nextInt();
        }
        wire.ask(random.nextInt(40), message);
      }
    }
    try (Wire wire = new Wire()) {
      assertArrayEquals(new byte[] {2}, wire.ask(1, new byte[0]));
    }
  }

  @Test
  void aValueOfSixteenMebibytesComesBack() throws IOException {
    byte[] value = new byte[(16 << 20) - 1000];
    new Random(1).nextBytes(value);
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    content.write(1 << 3 | 2);
    varint(content, value.length);
    content.writeBytes(value);
    ByteArrayOutputStream put = new ByteArrayOutputStream();
    put.writeBytes(fields(1, "big", 2, "k"));
    put.write(4 << 3 | 2);
    varint(put, content.size());
    put.writeBytes(content.toByteArray());
    try (Wire wire = new Wire()) {
      assertEquals(12, wire.ask(PUT, put.toByteArray())[0]);
      byte[] got = wire.ask(GET, fields(1, "big", 2, "k"));
      assertEquals(10, got[0]);
      int at = got.length - value.length;
      boolean found = false;
      for (int from = 0; from <= at && !found; from++) {
        found = java.util.Arrays.equals(got, from, from + value.length, value, 0, value.length);
      }
      assertTrue(found, "the value came back changed");
    }
  }

  private static void varint(ByteArrayOutputStream out, int value) {
    int left = value;
    while (left > 0x7f) {
      out.write(left | 0x80);
      left >>>= 7;
    }
    out.write(left);
  }
}
