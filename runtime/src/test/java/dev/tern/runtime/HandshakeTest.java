package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// A network and a peer that this test plays byte by byte.
class HandshakeTest {
  private static final Timing IMPATIENT =
      new Timing(
          TimeUnit.MILLISECONDS.toNanos(10),
          TimeUnit.MILLISECONDS.toNanos(300),
          TimeUnit.MILLISECONDS.toNanos(5),
          TimeUnit.MILLISECONDS.toNanos(20),
          1000);

  private record Frame(int kind, ByteReader payload) {}

  private static byte[] hello(String cluster, int member) {
    return FrameCodecTest.frame(
        FrameCodec.HELLO, 0, 0, new FrameCodec.Hello(cluster, member, 0, 1).encode());
  }

  private static Frame read(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    ByteReader reader = new ByteReader(bytes, 0, bytes.length - 4);
    reader.skip(1);
    int kind = reader.readUnsignedByte();
    reader.skip(4);
    return new Frame(kind, reader);
  }

  /// What a node answers to these first bytes: a refusal's reason and then the end.
  private static String refusal(byte[] first) throws Exception {
    try (TestNode a = new TestNode("auto", 1, 2, TestNode.CLUSTER, TestNode.TIMING);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), a.port)) {
      a.knows(2, 1);
      socket.getOutputStream().write(first);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      Frame answer = read(in);
      assertEquals(FrameCodec.REFUSAL, answer.kind());
      assertEquals(-1, in.read(), "the connection closes after a refusal");
      assertTrue(a.received.isEmpty());
      return answer.payload().readString();
    }
  }

  @Test
  void strangersAreRefusedWithTheReason() throws Exception {
    assertEquals(
        "node 2 belongs to the cluster (or list of members) 'gulls', node 1 to 'terns'",
        refusal(hello("gulls", 2)));
    assertEquals("node 9 is not a member known to node 1", refusal(hello("terns", 9)));
    assertEquals("it has this node's own number 1", refusal(hello("terns", 1)));
    assertEquals(
        "it is no Tern node",
        refusal(FrameCodecTest.frame(FrameCodec.HELLO, 0, 0, new ByteWriter().writeInt(1))));
    byte[] later = hello("terns", 2);
    later[4] = 2;
    assertEquals("frames of version 2, this node speaks 1", refusal(later));
    byte[] broken = hello("terns", 2);
    broken[15] ^= 1;
    assertEquals("a frame whose checksum does not match", refusal(broken));
    assertEquals(
        "a frame of 1195725856 bytes where 65536 are the most",
        refusal("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    assertEquals(
        "a frame of kind 2 out of order",
        refusal(FrameCodecTest.frame(FrameCodec.MESSAGE, 0, 0, new ByteWriter().writeInt(1))));
  }

  @Test
  void aRefusedDiallerNeverOpens() throws Exception {
    try (TestNode a = new TestNode("auto", 1, 1, TestNode.CLUSTER, TestNode.TIMING);
        TestNode other = new TestNode("auto", 2, 1, "gulls", TestNode.TIMING);
        ServerSocket counter = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      other.knows(1, a.port);
      a.knows(2, other.port);
      a.knows(3, counter.getLocalPort());
      for (int attempt = 0; attempt < 5; attempt++) {
        counter.accept().close();
      }
      assertFalse(a.network.connected(0, 2));
      assertFalse(other.network.connected(0, 1));
      assertTrue(a.connections.isEmpty() && other.connections.isEmpty());
    }
  }

  @Test
  void whoSaysNothingIsCutOff() throws Exception {
    try (TestNode a = new TestNode("auto", 1, 2, TestNode.CLUSTER, IMPATIENT)) {
      a.knows(2, 1);
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), a.port)) {
        assertEquals(-1, socket.getInputStream().read(), "it never said hello");
      }
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), a.port)) {
        socket.getOutputStream().write(hello("terns", 2));
        DataInputStream in = new DataInputStream(socket.getInputStream());
        assertEquals(FrameCodec.HELLO, read(in).kind());
        assertEquals(-1, in.read(), "it was silent after its hello");
      }
    }
  }

  @Test
  void aPeerThatDoesNotAnswerPingsIsDialledAgain() throws Exception {
    try (TestNode a = new TestNode("auto", 1, 1, TestNode.CLUSTER, IMPATIENT);
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      a.knows(2, server.getLocalPort());
      try (Socket first = server.accept()) {
        DataInputStream in = new DataInputStream(first.getInputStream());
        assertEquals(FrameCodec.HELLO, read(in).kind());
        first.getOutputStream().write(hello("terns", 2));
        assertEquals("0 2 true", a.nextConnection());
        for (int pings = 0; pings < 60; pings++) {
          assertEquals(FrameCodec.PING, read(in).kind());
          first
              .getOutputStream()
              .write(FrameCodecTest.frame(FrameCodec.PONG, 0, 0, new ByteWriter()));
        }
        assertTrue(a.connections.isEmpty(), "a peer that answers stays connected");
        assertEquals("0 2 false", a.nextConnection(), "no answer any more");
      }
      try (Socket second = server.accept()) {
        assertEquals(FrameCodec.HELLO, read(new DataInputStream(second.getInputStream())).kind());
      }
    }
  }

  @Test
  void whoDoesNotReadHoldsUpItsSenderOnlyUpToTheBound() throws Exception {
    int frameBytes = 1 << 20;
    try (TestNode a = new TestNode("auto", 1, 1, TestNode.CLUSTER, TestNode.TIMING);
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      a.knows(2, server.getLocalPort());
      try (Socket peer = server.accept()) {
        DataInputStream in = new DataInputStream(peer.getInputStream());
        read(in);
        peer.getOutputStream().write(hello("terns", 2));
        a.awaitOpen(2);
        int taken = 0;
        while (a.send(0, 2, 0, new byte[frameBytes])) {
          taken++;
          assertTrue(taken < 200, "200 MiB were taken for a peer that reads nothing");
        }
        assertTrue(taken >= NettyNetwork.MAX_UNSENT_BYTES / frameBytes - 1, "only " + taken);
        assertTrue(a.network.connected(0, 2));

        int messages = 0;
        while (messages < taken) {
          Frame frame = read(in);
          messages += frame.kind() == FrameCodec.MESSAGE ? 1 : 0;
        }
        Await.until("it takes frames again", () -> a.send(0, 2, 0, new byte[1]));
        Frame last = read(in);
        while (last.kind() == FrameCodec.PING) {
          last = read(in);
        }
        assertEquals(1, last.payload().remaining());
        assertEquals(1, a.connections.size(), "the connection held all the time");
      }
    }
  }
}
