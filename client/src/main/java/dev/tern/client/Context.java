package dev.tern.client;

/// What a reader has seen of a key, to be handed back with a write: it then replaces that and
/// nothing else. Opaque; immutable; may be stored and sent to other programs.
public final class Context {
  /// Of somebody who has seen nothing.
  public static final Context NONE = new Context(new byte[0]);

  private final byte[] bytes;

  private Context(byte[] bytes) {
    this.bytes = bytes;
  }

  /// @param bytes as [#toBytes] gave them
  public static Context of(byte[] bytes) {
    return bytes.length == 0 ? NONE : new Context(bytes.clone());
  }

  public byte[] toBytes() {
    return bytes.clone();
  }

  byte[] shared() {
    return bytes;
  }

  public boolean isEmpty() {
    return bytes.length == 0;
  }
}
