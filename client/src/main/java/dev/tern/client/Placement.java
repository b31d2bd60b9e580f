package dev.tern.client;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Where the keys of one bucket type lie. Immutable.
final class Placement {
  private static final int SLOTS = 16_384;
  private static final int POLYNOMIAL = 0x1021;
  private static final int[] CRC16 = new int[256];

  static {
    for (int i = 0; i < CRC16.length; i++) {
      int crc = i << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) != 0 ? crc << 1 ^ POLYNOMIAL : crc << 1;
      }
      CRC16[i] = crc & 0xffff;
    }
  }

  private final List<List<InetSocketAddress>> partitions;
  private final List<InetSocketAddress> nodes;

  private Placement(List<List<InetSocketAddress>> partitions, List<InetSocketAddress> nodes) {
    this.partitions = partitions;
    this.nodes = nodes;
  }

  /// @param datacenter whose nodes alone are to be there, null for all
  /// @throws IllegalArgumentException if the bytes are none
  static Placement decode(byte[] message, @Nullable String datacenter) {
    Map<Integer, InetSocketAddress> nodes = new LinkedHashMap<>();
    List<List<InetSocketAddress>> partitions = new ArrayList<>();
    Wire.Reader in = new Wire.Reader(message, 0, message.length);
    int field;
    while ((field = in.next()) != 0) {
      switch (field) {
        case 3 -> node(in.message(), nodes, datacenter);
        case 4 -> partitions.add(replicas(in.message(), nodes));
        default -> in.skip();
      }
    }
    if (partitions.isEmpty() || SLOTS % partitions.size() != 0) {
      throw new IllegalArgumentException(partitions.size() + " partitions");
    }
    return new Placement(partitions, List.copyOf(nodes.values()));
  }

  private static void node(
      Wire.Reader in, Map<Integer, InetSocketAddress> nodes, @Nullable String datacenter) {
    int number = 0;
    int port = 0;
    String host = "";
    String zone = "";
    int field;
    while ((field = in.next()) != 0) {
      switch (field) {
        case 1 -> number = in.number();
        case 2 -> host = new String(in.bytes(), StandardCharsets.UTF_8);
        case 3 -> port = in.number();
        case 4 -> zone = new String(in.bytes(), StandardCharsets.UTF_8);
        default -> in.skip();
      }
    }
    if (port > 0 && (datacenter == null || zone.startsWith(datacenter + "/"))) {
      // Looked up when it is connected to: this is an event loop.
      nodes.put(number, InetSocketAddress.createUnresolved(host, port));
    }
  }

  private static List<InetSocketAddress> replicas(
      Wire.Reader in, Map<Integer, InetSocketAddress> nodes) {
    List<InetSocketAddress> replicas = new ArrayList<>(3);
    int field;
    while ((field = in.next()) != 0) {
      if (field == 1) {
        InetSocketAddress address = nodes.get(in.number());
        if (address != null) {
          replicas.add(address);
        }
      } else {
        in.skip();
      }
    }
    return replicas;
  }

  /// In order of preference; may be empty.
  List<InetSocketAddress> replicas(int slot) {
    return partitions.get(slot / (SLOTS / partitions.size()));
  }

  /// All of the cluster that clients can reach.
  List<InetSocketAddress> nodes() {
    return nodes;
  }

  /// The slot of a bucket's key: CRC16 (XMODEM) of varint length of the bucket, bucket and key, or
  /// of what stands between the first braces of these bytes.
  static int slot(byte[] bucket, byte[] key) {
    byte[] joined = new byte[5 + bucket.length + key.length];
    int at = 0;
    int left = bucket.length;
    while (left > 0x7f) {
      joined[at++] = (byte) (left | 0x80);
      left >>>= 7;
    }
    joined[at++] = (byte) left;
    System.arraycopy(bucket, 0, joined, at, bucket.length);
    at += bucket.length;
    System.arraycopy(key, 0, joined, at, key.length);
    return slot(joined, at + key.length);
  }

  private static int slot(byte[] bytes, int length) {
    int from = 0;
    int to = length;
    int open = indexOf(bytes, '{', 0, length);
    if (open >= 0) {
      int close = indexOf(bytes, '}', open + 1, length);
      if (close > open + 1) {
        from = open + 1;
        to = close;
      }
    }
    int crc = 0;
    for (int i = from; i < to; i++) {
      crc = (crc << 8 ^ CRC16[(crc >>> 8 ^ bytes[i]) & 0xff]) & 0xffff;
    }
    return crc % SLOTS;
  }

  private static int indexOf(byte[] bytes, char wanted, int from, int length) {
    for (int i = from; i < length; i++) {
      if (bytes[i] == wanted) {
        return i;
      }
    }
    return -1;
  }
}
