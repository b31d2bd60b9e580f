package dev.tern.gateway.session;

import dev.tern.core.keyspace.Caller;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.LargeIntake;
import dev.tern.gateway.net.Unread;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.io.IOException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Bytes between a socket and a conversation: what has come is handed over whole, what is answered
/// leaves in one write a turn of the loop, and what either side holds is bounded.
///
/// A connection is read on though its client takes no replies: a client may write a whole pipeline
/// before it reads. Only the bound on replies ends that.
///
/// Threads: the connection's loop.
public final class Connection extends ChannelInboundHandlerAdapter implements Outlet {
  private static final int LEAST_WRITE_BYTES = 512;
  private static final int MOST_WRITE_BYTES = 64 << 10;

  private final Protocol protocol;
  private final int shard;
  private final ClientBounds bounds;
  private final ClientBounds.Share share;
  private final LargeIntake.Share intake;
  private final Runnable closed;
  private final Unread unread = new Unread();
  private @Nullable ChannelHandlerContext context;
  private @Nullable Conversation conversation;

  /// How large the next write will be, about: as large as the last one.
  private int writeBytes = LEAST_WRITE_BYTES;

  /// Bytes are being read; replies leave when all that came has been handed over.
  private boolean reading;

  /// A task of the loop sends what may leave then.
  private boolean scheduled;

  /// What waits is handed over when that task runs.
  private boolean feeds;

  /// This node closes the connection.
  private boolean dropped;

  /// @param closed called once, when the connection is over
  Connection(
      Protocol protocol, int shard, ClientBounds bounds, LargeIntake intake, Runnable closed) {
    this.protocol = protocol;
    this.shard = shard;
    this.bounds = bounds;
    this.share = bounds.new Share();
    this.intake = intake.new Share(this::readyForMore);
    this.closed = closed;
  }

  /// A connection that belongs to no door, for a channel of the simulator: large requests are read
  /// at once.
  ///
  /// @param nanos monotonic
  public static Connection alone(
      Protocol protocol, int shard, ClientBounds bounds, LongSupplier nanos) {
    LargeIntake unbounded =
        new LargeIntake(ImmediateEventExecutor.INSTANCE, () -> Long.MAX_VALUE, nanos);
    return new Connection(protocol, shard, bounds, unbounded, () -> {});
  }

  @Override
  public void channelActive(ChannelHandlerContext active) {
    context = active;
    conversation =
        protocol.converse(shard, Caller.anonymous(protocol.name(), address(active)), this);
  }

  private static String address(ChannelHandlerContext active) {
    return String.valueOf(active.channel().remoteAddress()).replace("/", "");
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
    feed();
  }

  /// Hands over what has come.
  private void feed() {
    Conversation current = conversation;
    ChannelHandlerContext active = context;
    if (current == null || active == null || dropped) {
      return;
    }
    boolean more = current.feed(unread.bytes()) && intake.reads(current.missingBytes());
    if (current.isClosing()) {
      unread.release();
    } else {
      unread.settle();
    }
    if (!share.holdsIncomplete(current.incompleteBytes())) {
      drop(ClientBounds.Reason.INCOMPLETE_REQUESTS, "");
    } else if (active.channel().config().isAutoRead() != more) {
      active.channel().config().setAutoRead(more);
    }
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

  @Override
  public void channelReadComplete(ChannelHandlerContext active) {
    reading = false;
    send();
  }

  /// Sends the replies that may leave, and hands over what waited for that.
  private void send() {
    Conversation current = conversation;
    ChannelHandlerContext active = context;
    while (current != null && active != null && !dropped) {
      boolean any = current.hasReplies();
      if (any) {
        write(current, active);
      }
      if (!holdsReplies(active)) {
        return;
      }
      if (active.channel().isWritable()) {
        current.sent();
      }
      if (any && !(active.channel().config().isAutoRead() && unread.isEmpty())) {
        feed();
      }
      if (!current.hasReplies()) {
        return;
      }
    }
  }

  private void write(Conversation current, ChannelHandlerContext active) {
    ByteBuf out = active.alloc().directBuffer(writeBytes);
    try {
      current.takeReplies(out);
    } catch (RuntimeException | Error e) {
      // No memory for them, most likely.
      out.release();
      throw e;
    }
    writeBytes = Math.clamp(out.readableBytes(), LEAST_WRITE_BYTES, MOST_WRITE_BYTES);
    active.writeAndFlush(out, active.voidPromise());
  }

  /// Counts what the client has not taken; closes the connection if it is too much.
  private boolean holdsReplies(ChannelHandlerContext active) {
    long bytes = ClientBounds.unread(active.channel());
    if (share.holdsReplies(bytes)) {
      return true;
    }
    drop(ClientBounds.Reason.UNREAD_REPLIES, bytes + " bytes wait for the client");
    return false;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext active) {
    if (holdsReplies(active) && active.channel().isWritable()) {
      schedule();
    }
  }

  // ---- what the conversation asks for

  @Override
  public void repliesReady() {
    if (!reading) {
      // All replies that this turn of the loop brings leave in one system call.
      schedule();
    }
  }

  @Override
  public void readyForMore() {
    feeds = true;
    schedule();
  }

  private void schedule() {
    ChannelHandlerContext active = context;
    if (!scheduled && active != null) {
      scheduled = true;
      active.channel().eventLoop().execute(this::goOn);
    }
  }

  private void goOn() {
    scheduled = false;
    if (feeds) {
      feeds = false;
      feed();
    }
    send();
  }

  @Override
  public void malformed(String detail) {
    ChannelHandlerContext active = context;
    if (active != null) {
      bounds.closing(ClientBounds.Reason.PROTOCOL, address(active), detail);
    }
  }

  @Override
  public void close() {
    ChannelHandlerContext active = context;
    if (active != null) {
      active.channel().eventLoop().execute(active::close);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext inactive) {
    unread.release();
    share.release();
    intake.release();
    if (conversation != null) {
      conversation.ended();
    }
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
