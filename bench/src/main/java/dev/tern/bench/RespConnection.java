package dev.tern.bench;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/// One of the load's sockets: sends a pipeline of requests, counts the replies, costs little. All
/// calls from the load's one thread.
final class RespConnection implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final int KEY_DIGITS = 12;

  private final SocketChannel channel;
  private final SelectionKey key;
  private final RespLoad.Options options;
  private final String workload;
  private final SplittableRandom random;
  private final byte[] get = request("GET", "key:000000000000");
  private final byte[] incr = request("INCR", "cnt:key:000000000000");
  private final byte[] set;
  private final ByteBuffer out;
  private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES);

  /// What is known of the reply that is being read: its type (0: nothing), its line's number, and
  /// the bytes of a bulk string still to come.
  private int type;

  private long number;
  private boolean negative;
  private long skipping;

  /// When the requests under way, or those to come, were due.
  long dueNanos;

  /// Replies still to come.
  private int outstanding;

  /// Error replies so far.
  long errors;

  /// @param selector told of this connection's bytes; the key's attachment is this object
  /// @throws IOException if the server cannot be reached
  RespConnection(
      String server, String workload, RespLoad.Options options, int index, Selector selector)
      throws IOException {
    String[] parts = server.split(":", 2);
    this.workload = workload;
    this.options = options;
    this.random = new SplittableRandom(index);
    this.set = request("SET", "key:000000000000", "x".repeat(options.valueBytes()));
    this.out = ByteBuffer.allocateDirect(options.pipeline() * (set.length + get.length));
    this.channel = SocketChannel.open(new InetSocketAddress(parts[0], Integer.parseInt(parts[1])));
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.configureBlocking(false);
    this.key = channel.register(selector, SelectionKey.OP_READ, this);
  }

  private static byte[] request(String... words) {
    StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /// Sends a pipeline of requests.
  void send() throws IOException {
    out.clear();
    outstanding = options.pipeline();
    for (int i = 0; i < outstanding; i++) {
      boolean read = workload.equals("get") || workload.equals("mixed") && random.nextInt(10) > 0;
      byte[] request = read ? get : workload.equals("incr") ? incr : set;
      int start = out.position();
      out.put(request);
      writeKey(start + keyEnd(request), random.nextInt(options.keys()));
    }
    out.flip();
    write();
  }

  /// Where the key's digits end within a request.
  private int keyEnd(byte[] request) {
    int value = options.valueBytes();
    int after = request == set ? 5 + Integer.toString(value).length() + value + 2 : 2;
    return request.length - after;
  }

  private void writeKey(int end, int chosen) {
    int rest = chosen;
    for (int i = 1; i <= KEY_DIGITS && rest > 0; i++) {
      out.put(end - i, (byte) ('0' + rest % 10));
      rest /= 10;
    }
  }

  private void write() throws IOException {
    channel.write(out);
    boolean more = out.hasRemaining();
    if (more != ((key.interestOps() & SelectionKey.OP_WRITE) != 0)) {
      key.interestOps(SelectionKey.OP_READ | (more ? SelectionKey.OP_WRITE : 0));
    }
  }

  /// Does what the socket is ready for; how many replies came to their end.
  int ready() throws IOException {
    if (key.isWritable()) {
      write();
    }
    return key.isReadable() ? replies() : 0;
  }

  /// Whether all that was sent is answered.
  boolean idle() {
    return outstanding == 0;
  }

  private int replies() throws IOException {
    in.clear();
    if (channel.read(in) < 0) {
      throw new EOFException("the server closed the connection");
    }
    in.flip();
    int before = outstanding;
    while (in.hasRemaining()) {
      if (skipping > 0) {
        int count = (int) Math.min(skipping, in.remaining());
        in.position(in.position() + count);
        skipping -= count;
        if (skipping == 0) {
          ended();
        }
      } else {
        take(in.get());
      }
    }
    return before - outstanding;
  }

  private void take(byte next) {
    if (type == 0) {
      type = next;
      number = 0;
      negative = false;
    } else if (next == '\n') {
      if (type == '$' && !negative) {
        skipping = number + 2;
      } else {
        ended();
      }
    } else if (next == '-') {
      negative = true;
    } else if (next >= '0' && next <= '9') {
      number = number * 10 + next - '0';
    }
  }

  private void ended() {
    errors += type == '-' ? 1 : 0;
    type = 0;
    outstanding--;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
