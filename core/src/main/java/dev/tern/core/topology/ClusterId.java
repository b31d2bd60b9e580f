package dev.tern.core.topology;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;

/// What a cluster is called for ever: 128 random bits, minted once, when it is founded.
public record ClusterId(long high, long low) {
  /// Of a node that belongs to no cluster yet.
  public static final ClusterId NONE = new ClusterId(0, 0);

  /// A new one.
  public static ClusterId mint(Randomness random) {
    return new ClusterId(random.nextLong(), random.nextLong() | 1);
  }

  /// Whether it names a cluster.
  public boolean known() {
    return !equals(NONE);
  }

  void encode(ByteWriter out) {
    out.writeLong(high).writeLong(low);
  }

  static ClusterId decode(ByteReader in) {
    return new ClusterId(in.readLong(), in.readLong());
  }

  /// 32 hexadecimal digits.
  @Override
  public String toString() {
    return "%016x%016x".formatted(high, low);
  }
}
