package dev.tern.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What the client does when the store is overloaded, which a few lines here play.
class OverloadTest {
  /// Says that it is overloaded, so many times, then that there is nothing.
  private static final class Store implements AutoCloseable {
    private final ServerSocket server;
    private final AtomicInteger refusals;
    private final AtomicInteger reads = new AtomicInteger();
    private final String error;

    Store(int refusals, String error) throws IOException {
      this.server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
      this.refusals = new AtomicInteger(refusals);
      this.error = error;
      thread(this::accept);
    }

    private static void thread(Runnable task) {
      Thread thread = new Thread(task);
      thread.setDaemon(true);
      thread.start();
    }

    private void accept() {
      try {
        while (true) {
          Socket socket = server.accept();
          thread(() -> serve(socket));
        }
      } catch (IOException e) {
        // Closed.
      }
    }

    private void serve(Socket socket) {
      try (socket;
          DataInputStream in = new DataInputStream(socket.getInputStream());
          DataOutputStream out = new DataOutputStream(socket.getOutputStream())) {
        while (true) {
          byte[] frame = new byte[in.readInt()];
          in.readFully(frame);
          boolean read = frame[0] == Wire.GET;
          boolean refused = read && refusals.getAndDecrement() > 0;
          if (read) {
            reads.incrementAndGet();
          }
          String text = refused ? error : "there is no such thing";
          byte[] answer =
              read && !refused
                  ? new byte[0]
                  : new Wire.Writer().bytes(1, text.getBytes(StandardCharsets.UTF_8)).encoded();
          out.writeInt(1 + answer.length);
          out.writeByte(read && !refused ? Wire.GOT : Wire.ERROR);
          out.write(answer);
          out.flush();
        }
      } catch (IOException e) {
        // The client went away.
      }
    }

    TernClient client(int timeoutMillis) {
      return TernClient.builder("127.0.0.1:" + server.getLocalPort())
          .timeoutMillis(timeoutMillis)
          .build();
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }

  private static void read(TernClient client) {
    client.bucket("plain", "b", Codec.text()).get("k").join();
  }

  @Test
  void itTriesAgainWhenTheTimeHasPassedThatTheStoreAskedFor() throws IOException {
    try (Store store = new Store(2, "overload, retry after 120 ms");
        TernClient client = store.client(10_000)) {
      long began = System.nanoTime();
      read(client);
      long millis = (System.nanoTime() - began) / 1_000_000;
      assertTrue(millis >= 240, millis + " ms");
      assertEquals(3, store.reads.get());
    }
  }

  @Test
  void itDoesNotWaitPastTheDeadlineAndTellsTheTime() throws IOException {
    try (Store store = new Store(100, "overload, retry after 4000 ms");
        TernClient client = store.client(1_000)) {
      long began = System.nanoTime();
      CompletionException failure = assertThrows(CompletionException.class, () -> read(client));
      long millis = (System.nanoTime() - began) / 1_000_000;
      assertTrue(millis < 1_000, millis + " ms");
      TernException.Refused refused =
          assertInstanceOf(TernException.Refused.class, failure.getCause());
      assertTrue(refused.isPassing());
      assertEquals(4_000, refused.retryAfterMillis());
      assertEquals(1, store.reads.get());
    }
  }

  @Test
  void anOverloadWithoutATimeIsTriedAgainAtOnce() throws IOException {
    try (Store store = new Store(100, "overload");
        TernClient client = store.client(10_000)) {
      CompletionException failure = assertThrows(CompletionException.class, () -> read(client));
      TernException.Refused refused =
          assertInstanceOf(TernException.Refused.class, failure.getCause());
      assertEquals(0, refused.retryAfterMillis());
      assertEquals(5, store.reads.get());
    }
  }
}
