package dev.tern.gateway.riak;

import dev.tern.gateway.session.Backlog;
import dev.tern.gateway.session.Conversation;
import dev.tern.gateway.session.KeyOrder;
import dev.tern.gateway.session.Outlet;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// One Riak client's conversation: messages in, frames out in the order of their requests.
///
/// Threads: one loop.
final class RiakConversation implements Conversation {
  private final RiakRequests requests;
  private final Outlet outlet;
  private final RiakDecoder decoder = new RiakDecoder();
  private final KeyOrder order = new KeyOrder();
  private final Backlog<Answer> backlog;

  /// The bytes are no messages: what was read is answered, and then the connection ends.
  private boolean broken;

  private boolean announced;

  RiakConversation(RiakRequests requests, Outlet outlet) {
    this.requests = requests;
    this.outlet = outlet;
    this.backlog = new Backlog<>(outlet, order);
  }

  @Override
  public boolean feed(ByteBuf in) {
    while (!broken && backlog.takesMore()) {
      RiakDecoder.Message message;
      try {
        message = decoder.next(in);
      } catch (RiakDecoder.FrameException e) {
        broken = true;
        outlet.malformed(e.length() + " bytes announced");
        String refusal = String.valueOf(e.getMessage());
        begin(new Task.Free(answer -> answer.error(refusal)));
        return false;
      }
      if (message == null) {
        return true;
      }
      begin(requests.task(message.code(), message.bytes()));
    }
    return false;
  }

  private void begin(Task task) {
    switch (task) {
      case Task.Free free -> perform(free, newAnswer(null));
      case Task.Keyed keyed -> order.add(new Turn(keyed));
      case Task.Alone alone -> {
        Answer answer = newAnswer(null);
        backlog.alone(answer, () -> perform(alone, answer));
      }
    }
  }

  /// A request that waits for those before it on the same key.
  private final class Turn extends KeyOrder.Turn {
    private final Task task;
    private final Answer answer;

    Turn(Task.Keyed task) {
      super(KeyOrder.Kind.ALONE, task.key());
      this.task = task;
      this.answer = newAnswer(this);
    }

    @Override
    protected void begin() {
      perform(task, answer);
    }
  }

  private static void perform(Task task, Answer answer) {
    try {
      task.run().accept(answer);
    } catch (RiakException e) {
      answer.error(String.valueOf(e.getMessage()));
    }
  }

  /// The answer of a request that has just come.
  ///
  /// @param turn on its key, null if it has none
  private Answer newAnswer(@Nullable Turn turn) {
    Answer answer = new Answer((changed, bytes) -> answered(changed, bytes, turn));
    backlog.add(answer);
    return answer;
  }

  private void answered(Answer answer, long bytes, @Nullable Turn turn) {
    backlog.holds(bytes);
    boolean done = answer.isDone();
    if (done && turn != null) {
      order.end(turn);
    }
    if (!announced && hasReplies()) {
      announced = true;
      outlet.repliesReady();
    }
    if (done) {
      backlog.ended(answer);
    }
  }

  @Override
  public long incompleteBytes() {
    return decoder.incompleteBytes();
  }

  @Override
  public long missingBytes() {
    return decoder.missingBytes();
  }

  @Override
  public boolean hasReplies() {
    Answer first = backlog.first();
    return first != null && !first.frames().isEmpty();
  }

  @Override
  public void takeReplies(ByteBuf out) {
    announced = false;
    Answer first;
    while ((first = backlog.first()) != null && !first.frames().isEmpty()) {
      Answer.Frame frame;
      while ((frame = first.frames().poll()) != null) {
        backlog.holds(-frame.bytes());
        out.writeInt(1 + frame.payload().length).writeByte(frame.code());
        out.writeBytes(frame.payload());
      }
      if (!first.isDone()) {
        break;
      }
      backlog.removeFirst();
    }
    if (broken && backlog.isEmpty()) {
      outlet.close();
    }
  }

  @Override
  public void sent() {
    Answer first = backlog.first();
    if (first != null && first.frames().isEmpty()) {
      first.taken();
    }
  }

  @Override
  public boolean isClosing() {
    return broken;
  }

  @Override
  public void ended() {
    backlog.forEach(Answer::abandon);
  }
}
