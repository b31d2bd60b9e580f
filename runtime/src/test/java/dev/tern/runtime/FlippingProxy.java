package dev.tern.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;

/// Passes bytes on, and flips one bit of a long enough piece when told to.
final class FlippingProxy implements AutoCloseable {
  /// Longer than a hello and a ping.
  private static final int LONG_BYTES = 500;

  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final AtomicBoolean flip = new AtomicBoolean();
  private final int target;

  FlippingProxy(int target) throws IOException {
    this.target = target;
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  void flipNext() {
    flip.set(true);
  }

  private void accept() {
    try {
      while (true) {
        Socket from = server.accept();
        Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
        Thread.ofVirtual().start(() -> pass(from, to, true));
        Thread.ofVirtual().start(() -> pass(to, from, false));
      }
    } catch (IOException e) {
      return;
    }
  }

  private void pass(Socket from, Socket to, boolean mayFlip) {
    byte[] buffer = new byte[1 << 16];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        if (mayFlip && count > LONG_BYTES && flip.compareAndSet(true, false)) {
          buffer[count / 2] ^= 0x10;
        }
        out.write(buffer, 0, count);
      }
    } catch (IOException e) {
      return;
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
