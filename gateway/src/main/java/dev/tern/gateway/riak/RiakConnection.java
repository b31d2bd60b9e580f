package dev.tern.gateway.riak;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One client's connection: frames in, frames out in the order of their requests.
final class RiakConnection extends ChannelInboundHandlerAdapter {
  /// A longer frame closes the connection: no value is so large.
  static final int MAX_FRAME_BYTES = 32 << 20;

  /// Requests under way; more are not read before some of these are answered.
  private static final int MAX_UNDER_WAY = 1_024;

  private final RiakRequests requests;
  private final Runnable closed;
  private final ArrayDeque<Answer> answers = new ArrayDeque<>();

  /// The orders of tasks under way.
  private final Set<Long> running = new HashSet<>();

  /// Read, and waiting for tasks before it; no more is read meanwhile.
  private @Nullable Task blocked;

  private @Nullable ChannelHandlerContext context;
  private @Nullable ByteBuf unread;
  private boolean reading;
  private boolean flushScheduled;
  private boolean broken;

  /// @param closed called once, when the connection is over
  RiakConnection(RiakRequests requests, Runnable closed) {
    this.requests = requests;
    this.closed = closed;
  }

  @Override
  public void channelActive(ChannelHandlerContext active) {
    context = active;
  }

  @Override
  public void channelRead(ChannelHandlerContext active, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    unread =
        unread == null
            ? bytes
            : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(active.alloc(), unread, bytes);
    reading = true;
    parse();
  }

  private void parse() {
    ByteBuf bytes = unread == null ? Unpooled.EMPTY_BUFFER : unread;
    ChannelHandlerContext active = context;
    if (active == null) {
      return;
    }
    Task waited = blocked;
    if (waited != null && mayRun(waited)) {
      blocked = null;
      run(waited);
    }
    while (!broken
        && blocked == null
        && answers.size() < MAX_UNDER_WAY
        && bytes.readableBytes() >= 4) {
      long length = bytes.getUnsignedInt(bytes.readerIndex());
      if (length < 1 || length > MAX_FRAME_BYTES) {
        broken = true;
        String refusal = "a message of %d bytes; at most %d fit".formatted(length, MAX_FRAME_BYTES);
        perform(Task.free(answer -> answer.error(refusal)), new Answer(this::answered));
        break;
      }
      if (bytes.readableBytes() < 4 + length) {
        break;
      }
      bytes.skipBytes(4);
      int code = bytes.readUnsignedByte();
      byte[] message = new byte[(int) length - 1];
      bytes.readBytes(message);
      run(requests.task(code, message));
    }
    if (unread != null && (broken || !bytes.isReadable())) {
      bytes.release();
      unread = null;
    }
    boolean room = blocked == null && answers.size() < MAX_UNDER_WAY;
    boolean read = !broken && room && active.channel().isWritable();
    if (active.channel().config().isAutoRead() != read) {
      active.channel().config().setAutoRead(read);
    }
  }

  private boolean mayRun(Task task) {
    if (task.order() == Task.FREE) {
      return true;
    }
    return task.order() == Task.ALONE
        ? running.isEmpty()
        : !running.contains(task.order()) && !running.contains(Task.ALONE);
  }

  private void run(Task task) {
    if (!mayRun(task)) {
      blocked = task;
      return;
    }
    long order = task.order();
    if (order == Task.FREE) {
      perform(task, new Answer(this::answered));
      return;
    }
    running.add(order);
    Answer[] mine = {null};
    Answer answer =
        new Answer(
            () -> {
              if (mine[0] != null && mine[0].isDone()) {
                running.remove(order);
              }
              answered();
            });
    mine[0] = answer;
    perform(task, answer);
  }

  private void perform(Task task, Answer answer) {
    answers.add(answer);
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

  private void answered() {
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
    if (active == null) {
      return;
    }
    ByteBuf out = null;
    Answer first;
    while ((first = answers.peek()) != null && !first.frames().isEmpty()) {
      Answer.Frame frame;
      while ((frame = first.frames().poll()) != null) {
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
    if (broken && answers.isEmpty()) {
      active.close();
    } else if (blocked != null || !active.channel().config().isAutoRead()) {
      parse();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext active) {
    if (active.channel().isWritable()) {
      parse();
      send();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext inactive) {
    if (unread != null) {
      unread.release();
      unread = null;
    }
    context = null;
    closed.run();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext active, Throwable cause) {
    active.close();
  }
}
