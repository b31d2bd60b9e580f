package dev.tern.gateway.riak;

import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.LargeIntake;
import dev.tern.gateway.net.Unread;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One client's connection: frames in, frames out in the order of their requests.
final class RiakConnection extends ChannelInboundHandlerAdapter {
  /// A longer frame closes the connection: no value is so large.
  static final int MAX_FRAME_BYTES = 32 << 20;

  /// Requests under way; more are not read before some of these are answered.
  private static final int MAX_UNDER_WAY = 1_024;

  /// A message up to this length waits in the connection's buffer until it is whole.
  private static final int SMALL_BYTES = 64 << 10;

  /// Answers that wait for one before them, bytes; no request is begun meanwhile. The one before
  /// ends by its timeout at the latest.
  private static final long MAX_HELD_BYTES = 8L << 20;

  private static final Runnable NOTHING_TO_DO = () -> {};

  private final RiakRequests requests;
  private final Runnable closed;
  private final ArrayDeque<Answer> answers = new ArrayDeque<>();

  /// The orders of tasks under way, each with those that wait for it.
  private final Map<Long, ArrayDeque<Runnable>> running = new HashMap<>();

  /// Tasks whose turn has come. They are begun one after the other: each may end at once, and a
  /// thousand within each other would overflow the stack.
  private final ArrayDeque<Runnable> ready = new ArrayDeque<>();

  private boolean beginning;

  /// Of frames that have not been handed to the socket.
  private long heldBytes;

  /// Read, and waiting for all tasks before it; no more is read meanwhile.
  private @Nullable Runnable blocked;

  /// What has come of a large message; such a one gathers here and not in the connection's buffer.
  private byte @Nullable [] gathered;

  private int filled;

  /// Bytes that the message has in all.
  private int wanted;

  private @Nullable ChannelHandlerContext context;
  private final Unread unread = new Unread();
  private final ClientBounds bounds;
  private final ClientBounds.Share share;
  private final LargeIntake.Share intake;
  private boolean reading;
  private boolean flushScheduled;

  /// The bytes are no messages: what was read is answered, and then the connection ends.
  private boolean broken;

  /// This node closes the connection.
  private boolean dropped;

  /// @param closed called once, when the connection is over
  RiakConnection(RiakRequests requests, ClientBounds bounds, LargeIntake intake, Runnable closed) {
    this.intake = intake.new Share(this::parse);
    this.requests = requests;
    this.bounds = bounds;
    this.share = bounds.new Share();
    this.closed = closed;
  }

  @Override
  public void channelActive(ChannelHandlerContext active) {
    context = active;
  }

  @Override
  public void channelRead(ChannelHandlerContext active, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    if (dropped) {
      bytes.release();
      return;
    }
    unread.add(active.alloc(), bytes);
    reading = true;
    parse();
  }

  /// Takes what messages there are. The connection is read on though the client takes no answers:
  /// only their bound ends that.
  private void parse() {
    ChannelHandlerContext active = context;
    if (active == null || dropped) {
      return;
    }
    ByteBuf bytes = unread.bytes();
    while (!broken && blocked == null && hasRoom()) {
      byte[] message = next(bytes);
      if (message == null) {
        break;
      }
      int code = message[0] & 0xff;
      run(requests.task(code, Arrays.copyOfRange(message, 1, message.length)));
    }
    if (broken) {
      unread.release();
    } else {
      unread.settle();
    }
    if (!share.holdsIncomplete(gathered == null ? 0 : gathered.length)) {
      drop(ClientBounds.Reason.INCOMPLETE_REQUESTS, "");
      return;
    }
    boolean more = !broken && blocked == null && hasRoom();
    boolean read = more && intake.reads(gathered == null ? 0 : wanted - filled);
    if (active.channel().config().isAutoRead() != read) {
      active.channel().config().setAutoRead(read);
    }
  }

  private boolean hasRoom() {
    return answers.size() < MAX_UNDER_WAY && heldBytes < MAX_HELD_BYTES;
  }

  /// The next message, its code first; null if it has not come whole.
  private byte @Nullable [] next(ByteBuf bytes) {
    if (gathered == null) {
      if (bytes.readableBytes() < 4) {
        return null;
      }
      long length = bytes.getUnsignedInt(bytes.readerIndex());
      if (length < 1 || length > MAX_FRAME_BYTES) {
        refuse(length);
        return null;
      }
      if (bytes.readableBytes() < 4 + length && length <= SMALL_BYTES) {
        return null;
      }
      bytes.skipBytes(4);
      wanted = (int) length;
      gathered = new byte[(int) Math.min(length, Math.max(SMALL_BYTES, bytes.readableBytes()))];
      filled = 0;
    }
    int count = Math.min(wanted - filled, bytes.readableBytes());
    if (filled + count > gathered.length) {
      int room = (int) Math.min(wanted, Math.max(filled + count, 2L * gathered.length));
      gathered = Arrays.copyOf(gathered, room);
    }
    bytes.readBytes(gathered, filled, count);
    filled += count;
    if (filled < wanted) {
      return null;
    }
    byte[] message = gathered.length == wanted ? gathered : Arrays.copyOf(gathered, wanted);
    gathered = null;
    return message;
  }

  private void refuse(long length) {
    broken = true;
    ChannelHandlerContext active = context;
    if (active != null) {
      bounds.closing(ClientBounds.Reason.PROTOCOL, address(active), length + " bytes announced");
    }
    String refusal = "a message of %d bytes; at most %d fit".formatted(length, MAX_FRAME_BYTES);
    perform(Task.free(answer -> answer.error(refusal)), newAnswer());
  }

  private static String address(ChannelHandlerContext active) {
    return String.valueOf(active.channel().remoteAddress()).replace("/", "");
  }

  /// Closes the connection for a reason of this node's.
  private void drop(ClientBounds.Reason reason, String detail) {
    ChannelHandlerContext active = context;
    if (active != null && !dropped) {
      dropped = true;
      bounds.closing(reason, address(active), detail);
      unread.release();
      active.close();
    }
  }

  private Answer newAnswer() {
    Answer answer = new Answer(this::answered);
    answers.add(answer);
    return answer;
  }

  private void run(Task task) {
    long order = task.order();
    if (order == Task.FREE) {
      perform(task, newAnswer());
      return;
    }
    Answer[] mine = {null};
    Answer answer =
        new Answer(
            bytes -> {
              if (mine[0] != null && mine[0].isDone()) {
                ended(order);
              }
              answered(bytes);
            });
    mine[0] = answer;
    answers.add(answer);
    ArrayDeque<Runnable> waiting = running.get(order);
    if (order == Task.ALONE && !running.isEmpty()) {
      blocked = () -> begin(order, task, answer);
    } else if (waiting != null) {
      waiting.add(() -> perform(task, answer));
    } else {
      begin(order, task, answer);
      if (order == Task.ALONE && !answer.isDone()) {
        // What comes after it waits until it has ended.
        blocked = NOTHING_TO_DO;
      }
    }
  }

  private void begin(long order, Task task, Answer answer) {
    running.put(order, new ArrayDeque<>(0));
    perform(task, answer);
  }

  /// A request has its answer: the next of its key begins.
  private void ended(long order) {
    ArrayDeque<Runnable> waiting = running.get(order);
    Runnable next = waiting == null ? null : waiting.poll();
    if (next != null) {
      beginInTurn(next);
      return;
    }
    running.remove(order);
    Runnable alone = blocked;
    if (order == Task.ALONE) {
      blocked = null;
    } else if (alone != null && alone != NOTHING_TO_DO && running.isEmpty()) {
      blocked = NOTHING_TO_DO;
      beginInTurn(alone);
    }
  }

  private void beginInTurn(Runnable task) {
    ready.add(task);
    if (beginning) {
      return;
    }
    beginning = true;
    try {
      Runnable next;
      while ((next = ready.poll()) != null) {
        next.run();
      }
    } finally {
      beginning = false;
    }
  }

  private static void perform(Task task, Answer answer) {
    try {
      task.run().accept(answer);
    } catch (RiakException e) {
      answer.error(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext active) {
    reading = false;
    send();
  }

  private void answered(long bytes) {
    heldBytes += bytes;
    flushSoon();
  }

  private void flushSoon() {
    ChannelHandlerContext active = context;
    if (!reading && !flushScheduled && active != null) {
      // All answers that this turn of the loop brings leave in one system call.
      flushScheduled = true;
      active
          .channel()
          .eventLoop()
          .execute(
              () -> {
                flushScheduled = false;
                send();
              });
    }
  }

  private void send() {
    ChannelHandlerContext active = context;
    if (active == null || dropped) {
      return;
    }
    ByteBuf out = null;
    Answer first;
    while ((first = answers.peek()) != null && !first.frames().isEmpty()) {
      Answer.Frame frame;
      while ((frame = first.frames().poll()) != null) {
        heldBytes -= frame.bytes();
        out = out == null ? active.alloc().directBuffer(512) : out;
        out.writeInt(1 + frame.payload().length).writeByte(frame.code());
        out.writeBytes(frame.payload());
      }
      if (!first.isDone()) {
        break;
      }
      answers.poll();
    }
    if (out != null) {
      active.writeAndFlush(out, active.voidPromise());
    }
    if (!holdsAnswers(active)) {
      return;
    }
    if (broken && answers.isEmpty()) {
      active.close();
      return;
    }
    if (first != null && active.channel().isWritable()) {
      first.taken();
    }
    if (!active.channel().config().isAutoRead() || !unread.isEmpty()) {
      parse();
    }
    Answer next = answers.peek();
    if (next != null && !next.frames().isEmpty()) {
      flushSoon();
    }
  }

  /// Counts what the client has not taken; closes the connection if it is too much.
  private boolean holdsAnswers(ChannelHandlerContext active) {
    long bytes = ClientBounds.unread(active.channel());
    if (share.holdsReplies(bytes)) {
      return true;
    }
    drop(ClientBounds.Reason.UNREAD_REPLIES, bytes + " bytes wait for the client");
    return false;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext active) {
    if (holdsAnswers(active) && active.channel().isWritable()) {
      flushSoon();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext inactive) {
    unread.release();
    share.release();
    intake.release();
    answers.forEach(Answer::abandon);
    context = null;
    closed.run();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext active, Throwable cause) {
    if (cause instanceof IOException) {
      // The client has broken the connection.
      active.close();
    } else {
      drop(ClientBounds.Reason.FAILED, String.valueOf(cause));
    }
  }
}
