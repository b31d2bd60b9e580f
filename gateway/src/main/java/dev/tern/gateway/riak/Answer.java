package dev.tern.gateway.riak;

import java.util.ArrayDeque;

/// The frames that answer one request; they leave when those of all requests before have left.
final class Answer {
  /// One frame.
  record Frame(int code, byte[] payload) {}

  static final byte[] NOTHING = {};

  private final Runnable changed;
  private final ArrayDeque<Frame> frames = new ArrayDeque<>(1);
  private boolean done;

  /// @param changed called after each frame
  Answer(Runnable changed) {
    this.changed = changed;
  }

  /// The only or last frame.
  void last(int code, byte[] payload) {
    done = true;
    more(code, payload);
  }

  /// A frame that others follow.
  void more(int code, byte[] payload) {
    frames.add(new Frame(code, payload));
    changed.run();
  }

  void error(String message) {
    if (!done) {
      last(Code.ERROR, new Fields.Message().string(1, message).number(2, 1).encoded());
    }
  }

  boolean isDone() {
    return done;
  }

  ArrayDeque<Frame> frames() {
    return frames;
  }
}
