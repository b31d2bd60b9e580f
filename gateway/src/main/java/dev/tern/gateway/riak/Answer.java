package dev.tern.gateway.riak;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// The frames that answer one request; they leave when those of all requests before have left.
final class Answer {
  /// One frame.
  record Frame(int code, byte[] payload) {
    /// Length and code.
    private static final int HEADER_BYTES = 5;

    long bytes() {
      return HEADER_BYTES + payload.length;
    }
  }

  /// Is told of each frame.
  interface Listener {
    /// @param bytes of the frame; 0 if nobody will read it
    void changed(Answer answer, long bytes);
  }

  static final byte[] NOTHING = {};

  private final Listener listener;
  private final ArrayDeque<Frame> frames = new ArrayDeque<>(1);
  private boolean done;
  private boolean abandoned;

  /// Goes on when the client has taken the frames so far; null for nothing.
  private @Nullable Runnable then;

  /// @param listener called after each frame
  Answer(Listener listener) {
    this.listener = listener;
  }

  /// The only or last frame.
  void last(int code, byte[] payload) {
    done = true;
    add(code, payload);
  }

  /// A frame that others follow.
  ///
  /// @param next brings them; called when the client has taken this one, and never if it is gone
  void more(int code, byte[] payload, Runnable next) {
    then = next;
    add(code, payload);
  }

  private void add(int code, byte[] payload) {
    if (abandoned) {
      listener.changed(this, 0);
      return;
    }
    Frame frame = new Frame(code, payload);
    frames.add(frame);
    listener.changed(this, frame.bytes());
  }

  void error(String message) {
    if (!done) {
      last(Code.ERROR, new Fields.Message().string(1, message).number(2, 1).encoded());
    }
  }

  /// Nobody will read it.
  void abandon() {
    abandoned = true;
    then = null;
    frames.clear();
  }

  boolean isAbandoned() {
    return abandoned;
  }

  boolean isDone() {
    return done;
  }

  ArrayDeque<Frame> frames() {
    return frames;
  }

  /// The client has taken all frames so far.
  void taken() {
    Runnable next = then;
    then = null;
    if (next != null) {
      next.run();
    }
  }
}
