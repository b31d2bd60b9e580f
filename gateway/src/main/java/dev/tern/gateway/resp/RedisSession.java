package dev.tern.gateway.resp;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.env.Clock;
import dev.tern.gateway.session.Backlog;
import dev.tern.gateway.session.ClusterStatus;
import dev.tern.gateway.session.Conversation;
import dev.tern.gateway.session.KeyOrder;
import dev.tern.gateway.session.Outlet;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One Redis client's conversation.
///
/// Threads: one loop.
public final class RedisSession implements Conversation {
  /// Characters of an unknown command, and of its arguments altogether, that its error repeats.
  private static final int MAX_SHOWN = 128;

  final ClusterStatus cluster;
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

  private final Outlet outlet;
  private final ServerCommands server;
  private final RespDecoder decoder = new RespDecoder();
  private final Backlog<Pending> backlog;
  private final KeyRequests keyed;

  /// When the bytes came that are being fed: monotonic nanoseconds, and wall-clock milliseconds.
  private long cameNanos;

  private long cameMillis;
  private boolean closing;
  private boolean announced;

  /// A conversation of its own.
  public RedisSession(
      ClusterStatus cluster,
      Keyspace keyspace,
      Clock clock,
      DoorStatistics statistics,
      ServerCommands server,
      long id,
      String address,
      Outlet outlet) {
    this.cluster = cluster;
    this.keyspace = keyspace;
    this.clock = clock;
    this.statistics = statistics;
    this.server = server;
    this.id = id;
    this.address = address;
    this.outlet = outlet;
    KeyOrder order = new KeyOrder();
    this.backlog = new Backlog<>(outlet, order);
    this.keyed = new KeyRequests(keyspace, order);
    this.openedMillis = clock.wallMillis();
  }

  /// Whether the client is told that this is a cluster.
  boolean isCluster() {
    return mode.isCluster(cluster.view().members().size());
  }

  /// Whether commands on all keys mean those of this node's slots.
  Scope scope() {
    return mode.meansThisNode() ? Scope.NODE : Scope.CLUSTER;
  }

  private void named(byte[] key) {
    Topology topology = mode.wantsKey() ? cluster.view().topology(keyspace.id()) : null;
    if (topology != null) {
      int slot = Slots.of(key);
      mode.named(slot, leads(topology.replicas(topology.partitionOf(slot))));
    }
  }

  private boolean leads(int[] replicas) {
    for (int member : replicas) {
      if (cluster.live(member)) {
        return member == cluster.self().number();
      }
    }
    return false;
  }

  /// Where the keys lie now.
  Topology topology() {
    Topology topology = cluster.view().topology(keyspace.id());
    if (topology == null) {
      throw new CommandException("CLUSTERDOWN the keyspace of this door was dropped");
    }
    return topology;
  }

  @Override
  public boolean feed(ByteBuf in) {
    keyed.nextTurn();
    cameNanos = clock.monotonicNanos();
    cameMillis = clock.wallMillis();
    while (!closing && backlog.takesMore()) {
      RespDecoder.Request request;
      try {
        request = decoder.next(in);
      } catch (RespDecoder.ProtocolException e) {
        statistics.protocolError();
        outlet.malformed(String.valueOf(e.getMessage()));
        answerNow(null, new Reply.Error("ERR " + e.getMessage()));
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

  @Override
  public long incompleteBytes() {
    return decoder.incompleteBytes();
  }

  @Override
  public long missingBytes() {
    return decoder.missingBytes();
  }

  /// A page of a browser must not make it send commands ("cross-protocol scripting"): as Redis
  /// does, the connection is closed without a word.
  private static boolean isHttp(List<byte[]> arguments) {
    String first = Arguments.word(arguments, 0);
    return first.equals("POST") || first.equals("HOST:");
  }

  private void start(RespDecoder.Request request) {
    commands++;
    if (request.tooLarge() != null) {
      answerNow(null, new Reply.Error(request.tooLarge()));
      return;
    }
    start(request.arguments(), level);
  }

  private void answerNow(CommandTable.@Nullable Command command, Reply reply) {
    begun(command).finish(reply);
  }

  private Pending begun(CommandTable.@Nullable Command command) {
    Pending begun = new Pending(this, command, cameNanos);
    backlog.add(begun);
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
                      case CountOutcome.Count count -> count;
                      case Unanswered why -> null;
                    })));
  }

  private void countSlot(int slot, Pending many) {
    keyspace.countSlot(
        slot,
        outcome ->
            many.finish(
                switch (outcome) {
                  case CountOutcome.Count count -> Reply.number(count.keys());
                  case Unanswered why -> Errors.of(why);
                }));
  }

  private void start(List<byte[]> arguments, Level at) {
    CommandTable.Command command = find(arguments.getFirst());
    if (command == null && isHttp(arguments)) {
      closeAfterReplies();
      if (backlog.isEmpty()) {
        outlet.close();
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
      answerNow(null, java.util.Objects.requireNonNull(refusal));
      return;
    }
    try {
      if (command.name().equals("TERN.WITH")) {
        with(arguments);
      } else {
        start(command, arguments, at);
      }
    } catch (CommandException e) {
      answerNow(command, new Reply.Error(String.valueOf(e.getMessage())));
    }
  }

  private void start(CommandTable.Command command, List<byte[]> arguments, Level at) {
    switch (command.kind()) {
      case LOCAL -> {
        if (counts(command, arguments)) {
          count(command, arguments);
        } else {
          answerNow(command, server.run(this, command, arguments));
        }
      }
      case READ, PUT, UPDATE -> {
        KeyTask task = KeyTask.of(command, arguments, cameMillis);
        Pending request = begun(command);
        named(task.key());
        if (task.update() == null) {
          read(task.key(), at, task.valueOnly(), request.reading(task));
        } else {
          update(task.key(), task.update(), at, request.updating(task));
        }
      }
      case MANY -> {
        ManyKeys many = new ManyKeys(this, command, arguments, at);
        Pending request = begun(command);
        if (many.looksAtAllKeys()) {
          backlog.alone(request, () -> many.run(request));
        } else {
          many.run(request);
        }
      }
    }
  }

  private void count(CommandTable.Command command, List<byte[]> arguments) {
    if (command.name().equals("INFO")) {
      Pending request = begun(command);
      backlog.alone(request, () -> info(arguments, request));
    } else {
      int slot = ClusterCommands.slot(arguments);
      Pending request = begun(command);
      backlog.alone(request, () -> countSlot(slot, request));
    }
  }

  /// Reads in the order of this connection's requests on the key.
  ///
  /// @param valueOnly whether the reply follows from the value alone
  void read(byte[] key, Level at, boolean valueOnly, Completion<ReadOutcome> done) {
    keyed.read(key, at, valueOnly, done);
  }

  /// Updates in the order of this connection's requests on the key.
  void update(byte[] key, Update update, Level at, Completion<UpdateOutcome> done) {
    keyed.update(key, update, at, done);
  }

  /// Takes no request until [#release].
  void hold() {
    backlog.hold();
  }

  /// Takes requests again.
  void release() {
    backlog.release();
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

  /// `TERN.WITH R x W y command ...`
  private void with(List<byte[]> arguments) {
    int[] at = {1};
    Level wanted = ServerCommands.level(arguments, at, level);
    List<byte[]> inner = arguments.subList(at[0], arguments.size());
    if (inner.isEmpty()) {
      throw new CommandException("ERR TERN.WITH R x W y needs a command");
    }
    CommandTable.Command command = CommandTable.find(inner.getFirst());
    Reply refusal = refusal(command, inner);
    if (command == null || refusal != null) {
      answerNow(command, java.util.Objects.requireNonNull(refusal));
    } else if (command.name().equals("TERN.WITH")) {
      throw new CommandException("ERR TERN.WITH cannot stand within TERN.WITH");
    } else {
      start(command, inner, wanted);
    }
  }

  /// A request has its reply.
  void answered(Pending request) {
    Reply reply = java.util.Objects.requireNonNull(request.reply);
    backlog.holds(Reply.valueBytes(reply));
    long nanos = clock.monotonicNanos() - request.beganNanos;
    statistics.command(request.command, nanos, reply instanceof Reply.Error);
    if (!announced && hasReplies()) {
      announced = true;
      outlet.repliesReady();
    }
    backlog.ended(request);
  }

  @Override
  public boolean hasReplies() {
    Pending first = backlog.first();
    return first != null && first.reply != null;
  }

  @Override
  public void takeReplies(ByteBuf out) {
    announced = false;
    Pending first;
    while ((first = backlog.first()) != null && first.reply != null) {
      backlog.removeFirst();
      backlog.holds(-Reply.valueBytes(first.reply));
      RespWriter.write(first.reply, protocol, out);
    }
    if (closing && backlog.isEmpty()) {
      outlet.close();
    }
  }

  void closeAfterReplies() {
    closing = true;
  }

  @Override
  public boolean isClosing() {
    return closing;
  }

  @Override
  public void ended() {
    statistics.closed();
    server.closed(this);
  }
}
