package dev.tern.gateway.resp;

import dev.tern.core.Node;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.env.Clock;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One client's conversation: takes bytes, starts requests, and gives replies in order. Knows no
/// socket, so that the simulator can hold it too. One loop.
public final class RedisSession {
  /// Requests begun and not yet answered; further ones wait in the socket.
  public static final int MAX_PENDING = 1024;

  /// Characters of an unknown command, and of its arguments altogether, that its error repeats.
  private static final int MAX_SHOWN = 128;

  /// Where the session's effects go.
  public interface Output {
    /// There are replies to take with [#takeReplies]; called when there were none before.
    void repliesReady();

    /// Nothing more will be answered: send what there is and close.
    void close();
  }

  final Node node;
  final Keyspace keyspace;
  final Clock clock;
  final DoorStatistics statistics;
  final long id;
  final String address;
  final long openedMillis;
  int protocol = 2;
  String name = "";
  String library = "";
  String libraryVersion = "";
  final ConnectionMode mode = new ConnectionMode();
  Level level = Level.DEFAULT;
  long commands;
  private byte[] lastName = new byte[0];
  private CommandTable.@Nullable Command last;
  private String lastSubcommand = "";

  private final Output output;
  private final ServerCommands server;
  private final RespDecoder decoder = new RespDecoder();
  private final ArrayDeque<Pending> pending = new ArrayDeque<>();

  /// A request that waits for earlier ones on its key.
  private @Nullable Runnable blocked;

  private @Nullable Pending blockedPending;
  private boolean closing;
  private boolean announced;

  /// A conversation of its own.
  public RedisSession(
      Node node,
      Keyspace keyspace,
      Clock clock,
      DoorStatistics statistics,
      ServerCommands server,
      long id,
      String address,
      Output output) {
    this.node = node;
    this.keyspace = keyspace;
    this.clock = clock;
    this.statistics = statistics;
    this.server = server;
    this.id = id;
    this.address = address;
    this.output = output;
    this.openedMillis = clock.wallMillis();
  }

  /// Whether the client is told that this is a cluster.
  boolean isCluster() {
    return mode.isCluster(node.view().members().size());
  }

  /// Whether commands on all keys mean those of this node's slots.
  Scope scope() {
    return mode.meansThisNode() ? Scope.NODE : Scope.CLUSTER;
  }

  private void named(byte[] key) {
    Topology topology = node.view().topology(keyspace.id());
    if (topology != null && mode.wantsKey()) {
      int slot = Slots.of(key);
      mode.named(slot, leads(topology.replicas(topology.partitionOf(slot))));
    }
  }

  private boolean leads(int[] replicas) {
    for (int member : replicas) {
      if (node.live(member)) {
        return member == node.self().number();
      }
    }
    return false;
  }

  /// Where the keys lie now.
  Topology topology() {
    Topology topology = node.view().topology(keyspace.id());
    if (topology == null) {
      throw new CommandException("CLUSTERDOWN the keyspace of this door was dropped");
    }
    return topology;
  }

  /// Starts what requests there are in `in`, as far as the bounds allow; true if it could go on
  /// with more bytes now.
  public boolean feed(ByteBuf in) {
    while (!closing && blocked == null && pending.size() < MAX_PENDING) {
      RespDecoder.Request request;
      try {
        request = decoder.next(in);
      } catch (RespDecoder.ProtocolException e) {
        statistics.protocolError();
        Pending last = new Pending(this, CommandTable.Kind.LOCAL, null, clock.monotonicNanos());
        pending.add(last);
        last.finish(new Reply.Error("ERR " + e.getMessage()));
        closeAfterReplies();
        return false;
      }
      if (request == null) {
        return true;
      }
      start(request);
    }
    return false;
  }

  /// A page of a browser must not make it send commands ("cross-protocol scripting"): as Redis
  /// does, the connection is closed without a word.
  private static boolean isHttp(List<byte[]> arguments) {
    String first = Arguments.word(arguments, 0);
    return first.equals("POST") || first.equals("HOST:");
  }

  private void start(RespDecoder.Request request) {
    commands++;
    long now = clock.monotonicNanos();
    if (request.tooLarge() != null) {
      answerNow(new Reply.Error(request.tooLarge()), now);
      return;
    }
    start(request.arguments(), level, now);
  }

  private void answerNow(Reply reply, long now) {
    Pending local = new Pending(this, CommandTable.Kind.LOCAL, null, now);
    pending.add(local);
    local.finish(reply);
  }

  private Pending pending(CommandTable.Command command, CommandTable.Kind kind, long now) {
    Pending begun = new Pending(this, kind, null, now);
    begun.command = command;
    return begun;
  }

  /// `CLUSTER COUNTKEYSINSLOT`, and `INFO` with the number of keys, look at keys though they name
  /// none.
  private static boolean counts(CommandTable.Command command, List<byte[]> arguments) {
    return command.name().equals("INFO") && new Info(arguments).wantsKeyspace()
        || command.name().equals("CLUSTER")
            && Arguments.word(arguments, 1).equals("COUNTKEYSINSLOT");
  }

  private void info(List<byte[]> arguments, Pending many) {
    keyspace.count(
        scope(),
        outcome ->
            many.finish(
                server.info(
                    this,
                    new Info(arguments),
                    switch (outcome) {
                      case CountOutcome.Count count -> count.keys();
                      case Unanswered why -> -1;
                    })));
  }

  private void countSlot(List<byte[]> arguments, Pending many) {
    keyspace.countSlot(
        ClusterCommands.slot(arguments),
        outcome ->
            many.finish(
                switch (outcome) {
                  case CountOutcome.Count count -> Reply.number(count.keys());
                  case Unanswered why -> Errors.of(why);
                }));
  }

  private void start(List<byte[]> arguments, Level at, long now) {
    CommandTable.Command command = find(arguments.getFirst());
    if (command == null && isHttp(arguments)) {
      closeAfterReplies();
      if (pending.isEmpty()) {
        output.close();
      }
      return;
    }
    Reply refusal = refusal(command, arguments);
    if (command != null) {
      lastSubcommand = subcommand(command, arguments);
    }
    if (command == null || refusal != null) {
      if (command != null) {
        statistics.rejected(command);
      }
      answerNow(java.util.Objects.requireNonNull(refusal), now);
      return;
    }
    try {
      switch (command.kind()) {
        case LOCAL -> {
          if (counts(command, arguments)) {
            Pending many = pending(command, CommandTable.Kind.MANY, now);
            inOrder(many, () -> many(command, arguments, at, many));
            return;
          }
          Pending local = pending(command, command.kind(), now);
          pending.add(local);
          local.finish(server.run(this, command, arguments));
        }
        case READ, PUT, UPDATE -> onKey(command, arguments, at, now);
        case MANY -> {
          Pending many = pending(command, command.kind(), now);
          inOrder(many, () -> many(command, arguments, at, many));
        }
      }
    } catch (CommandException e) {
      Reply error = new Reply.Error(String.valueOf(e.getMessage()));
      Pending last = pending.peekLast();
      if (last != null && last.reply == null && last.kind == CommandTable.Kind.LOCAL) {
        last.finish(error);
      } else {
        answerNow(error, now);
      }
    }
  }

  private static String subcommand(CommandTable.Command command, List<byte[]> arguments) {
    boolean ofKeys = command.kind() != CommandTable.Kind.LOCAL && command.first() == 1;
    if (ofKeys || arguments.size() < 2) {
      return "";
    }
    String word = Arguments.word(arguments, 1);
    return CommandTable.subcommands(command).contains(word) ? "|" + word : "";
  }

  /// Most clients send the same command again and again.
  private CommandTable.@Nullable Command find(byte[] name) {
    if (!Arrays.equals(name, lastName)) {
      lastName = name;
      last = CommandTable.find(name);
    }
    return last;
  }

  /// As `CLIENT LIST` tells it: with the subcommand where there is one.
  String lastCommand() {
    return last == null ? "NULL" : (last.name() + lastSubcommand).toLowerCase(Locale.ROOT);
  }

  private static String beginning(String text, int most) {
    return text.substring(0, Math.min(most, text.length()));
  }

  private static @Nullable Reply refusal(
      CommandTable.@Nullable Command command, List<byte[]> arguments) {
    if (command == null) {
      StringBuilder shown = new StringBuilder();
      for (int i = 1; i < arguments.size() && shown.length() < MAX_SHOWN; i++) {
        String argument = beginning(Arguments.text(arguments, i), MAX_SHOWN - shown.length());
        shown.append('\'').append(argument).append("' ");
      }
      return new Reply.Error(
          "ERR unknown command '%s', with args beginning with: %s"
              .formatted(beginning(Arguments.text(arguments, 0), MAX_SHOWN), shown));
    }
    int arity = command.arity();
    if (arity > 0 ? arguments.size() != arity : arguments.size() < -arity) {
      return new Reply.Error(String.valueOf(CommandException.arity(command.name()).getMessage()));
    }
    return null;
  }

  private void onKey(CommandTable.Command command, List<byte[]> arguments, Level at, long now) {
    KeyTask task = KeyTask.of(command, arguments, clock.wallMillis());
    CommandTable.Kind kind = kindOf(task);
    Pending request = new Pending(this, kind, task.key(), now);
    request.command = command;
    named(task.key());
    inOrder(request, () -> run(task, at, request));
  }

  private static CommandTable.Kind kindOf(KeyTask task) {
    if (task.update() == null) {
      return CommandTable.Kind.READ;
    }
    boolean blind = task.update() instanceof dev.tern.core.keyspace.Update.Put put && put.blind();
    return blind ? CommandTable.Kind.PUT : CommandTable.Kind.UPDATE;
  }

  private void run(KeyTask task, Level at, Pending request) {
    if (task.update() == null) {
      keyspace.read(task.key(), at, request.reading(task));
    } else {
      keyspace.update(task.key(), task.update(), at, request.updating(task));
    }
  }

  private void many(CommandTable.Command command, List<byte[]> arguments, Level at, Pending many) {
    try {
      if (command.name().equals("TERN.WITH")) {
        with(arguments, many);
      } else if (command.name().equals("INFO")) {
        info(arguments, many);
      } else if (command.kind() == CommandTable.Kind.LOCAL) {
        countSlot(arguments, many);
      } else {
        new ManyKeys(this, at, many).run(command, arguments);
      }
    } catch (CommandException e) {
      many.finish(new Reply.Error(String.valueOf(e.getMessage())));
    }
  }

  /// `TERN.WITH R x W y command ...`
  private void with(List<byte[]> arguments, Pending many) {
    int[] at = {1};
    Level wanted = ServerCommands.level(arguments, at, level);
    List<byte[]> inner = arguments.subList(at[0], arguments.size());
    CommandTable.Command command = inner.isEmpty() ? null : CommandTable.find(inner.getFirst());
    if (inner.isEmpty()) {
      throw new CommandException("ERR TERN.WITH R x W y needs a command");
    }
    Reply refusal = refusal(command, inner);
    if (command == null || refusal != null) {
      many.finish(java.util.Objects.requireNonNull(refusal));
      return;
    }
    switch (command.kind()) {
      case LOCAL -> {
        if (counts(command, inner)) {
          many(command, inner, wanted, many);
        } else {
          many.finish(server.run(this, command, inner));
        }
      }
      case READ, PUT, UPDATE -> run(KeyTask.of(command, inner, clock.wallMillis()), wanted, many);
      case MANY -> {
        if (command.name().equals("TERN.WITH")) {
          throw new CommandException("ERR TERN.WITH cannot stand within TERN.WITH");
        }
        new ManyKeys(this, wanted, many).run(command, inner);
      }
    }
  }

  private void inOrder(Pending request, Runnable begin) {
    for (Pending earlier : pending) {
      if (earlier.blocks(request)) {
        pending.add(request);
        blocked = begin;
        blockedPending = request;
        return;
      }
    }
    pending.add(request);
    begin.run();
  }

  /// A request has its reply.
  void answered(Pending request) {
    Reply reply = java.util.Objects.requireNonNull(request.reply);
    long nanos = clock.monotonicNanos() - request.beganNanos;
    statistics.command(request.command, nanos, reply instanceof Reply.Error);
    if (!announced && pending.peekFirst() != null && pending.peekFirst().reply != null) {
      announced = true;
      output.repliesReady();
    }
    unblock();
  }

  private void unblock() {
    Runnable begin = blocked;
    Pending request = blockedPending;
    if (begin == null || request == null) {
      return;
    }
    for (Pending earlier : pending) {
      if (earlier == request) {
        break;
      }
      if (earlier.blocks(request)) {
        return;
      }
    }
    blocked = null;
    blockedPending = null;
    begin.run();
  }

  /// Whether there is a reply that may leave.
  public boolean hasReplies() {
    Pending first = pending.peekFirst();
    return first != null && first.reply != null;
  }

  /// Appends the replies that may leave, in order.
  public void takeReplies(ByteBuf out) {
    announced = false;
    Pending first;
    while ((first = pending.peekFirst()) != null && first.reply != null) {
      pending.pollFirst();
      RespWriter.write(first.reply, protocol, out);
    }
    if (closing && pending.isEmpty()) {
      output.close();
    }
  }

  void closeAfterReplies() {
    closing = true;
  }

  /// Whether it takes no more requests.
  public boolean isClosing() {
    return closing;
  }
}
