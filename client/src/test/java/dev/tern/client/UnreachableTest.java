package dev.tern.client;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/// What a client is told whose addresses are no nodes.
class UnreachableTest {
  private static Throwable failedPut(String address) {
    try (TernClient client = TernClient.connect(address)) {
      Bucket<String> bucket = client.bucket("plain", "b", Codec.text());
      return assertThrows(CompletionException.class, () -> bucket.put("k", "v").join()).getCause();
    }
  }

  private static void assertRefused(String says, Throwable failure) {
    assertInstanceOf(TernException.Refused.class, failure, failure::toString);
    assertTrue(String.valueOf(failure.getMessage()).contains(says), failure::toString);
  }

  @Test
  void theAddressAndTheReasonAreTold() throws IOException {
    String address;
    try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = "127.0.0.1:" + unused.getLocalPort();
    }
    assertRefused(address + " connection refused", failedPut(address));
  }

  /// A server of another protocol has understood nothing, so that nothing was written there.
  @Test
  void aWriteToAServerOfAnotherProtocolIsRefused() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread thread = new Thread(() -> serve(server));
      thread.setDaemon(true);
      thread.start();
      String address = "127.0.0.1:" + server.getLocalPort();
      assertRefused(address + " does not speak Riak's protocol", failedPut(address));
    }
  }

  private static void serve(ServerSocket server) {
    try {
      while (true) {
        try (Socket client = server.accept()) {
          client.getInputStream().readNBytes(5);
          client.getOutputStream().write("-ERR unknown command\r\n".getBytes(US_ASCII));
          client.getOutputStream().flush();
          client.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
        }
      }
    } catch (IOException e) {
      // The test is over.
    }
  }
}
