package dev.tern.gateway.resp;

import dev.tern.core.Node;
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
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One client's conversation: takes bytes, starts requests, and gives replies in order. Knows no
/// socket, so that the simulator can hold it too. One loop.
public final class RedisSession {
  /// Requests begun and not yet answered; further ones wait in the socket.
  public static final int MAX_PENDING = 1024;

  /// Replies that wait for one before them, bytes; no request is begun meanwhile. The one before
  /// ends by its timeout at the latest.
  private static final long MAX_HELD_BYTES = 8L << 20;

  /// Characters of an unknown command, and of its arguments altogether, that its error repeats.
  private static final int MAX_SHOWN = 128;

  /// Reads whose reply follows from the value alone, not from its expiry.
  private static final Set<String> VALUE_ONLY = Set.of("GET", "STRLEN", "TYPE");

  /// Where the session's effects go.
  public interface Output {
    /// There are replies to take with [#takeReplies]; called when there were none before.
    void repliesReady();

    /// It takes requests again, see [#feed].
    void readyForMore();

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

  private final KeyOrder order = new KeyOrder();

  /// A request that looks at all keys and waits until nothing else is under way; null for none.
  private @Nullable Runnable barrier;

  /// That request, also while it is under way.
  private @Nullable Pending holder;

  /// No request is taken meanwhile: one looks at all keys, or has more parts than may be under way.
  private boolean held;

  /// Of values in replies that have not left.
  private long heldBytes;

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
    order.nextTurn();
    while (!closing && !held && pending.size() < MAX_PENDING && heldBytes < MAX_HELD_BYTES) {
      RespDecoder.Request request;
      try {
        request = decoder.next(in);
      } catch (RespDecoder.ProtocolException e) {
        statistics.protocolError();
        answerNow(null, new Reply.Error("ERR " + e.getMessage()), clock.monotonicNanos());
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

  /// Bytes of memory that the request which has not come whole takes, about.
  public long incompleteBytes() {
    return decoder.incompleteBytes();
  }

  /// Bytes that are known to come of the request that has not come whole.
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
    long now = clock.monotonicNanos();
    if (request.tooLarge() != null) {
      answerNow(null, new Reply.Error(request.tooLarge()), now);
      return;
    }
    start(request.arguments(), level, now);
  }

  private void answerNow(CommandTable.@Nullable Command command, Reply reply, long now) {
    begun(command, now).finish(reply);
  }

  private Pending begun(CommandTable.@Nullable Command command, long now) {
    Pending begun = new Pending(this, command, now);
    pending.add(begun);
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
      answerNow(null, java.util.Objects.requireNonNull(refusal), now);
      return;
    }
    try {
      if (command.name().equals("TERN.WITH")) {
        with(arguments, now);
      } else {
        start(command, arguments, at, now);
      }
    } catch (CommandException e) {
      answerNow(command, new Reply.Error(String.valueOf(e.getMessage())), now);
    }
  }

  private void start(CommandTable.Command command, List<byte[]> arguments, Level at, long now) {
    switch (command.kind()) {
      case LOCAL -> {
        if (counts(command, arguments)) {
          count(command, arguments, now);
        } else {
          answerNow(command, server.run(this, command, arguments), now);
        }
      }
      case READ, PUT, UPDATE -> {
        KeyTask task = KeyTask.of(command, arguments, clock.wallMillis());
        Pending request = begun(command, now);
        named(task.key());
        if (task.update() == null) {
          boolean valueOnly = VALUE_ONLY.contains(command.name());
          read(task.key(), at, valueOnly, request.reading(task));
        } else {
          update(task.key(), task.update(), at, request.updating(task));
        }
      }
      case MANY -> {
        ManyKeys many = new ManyKeys(this, command, arguments, at);
        Pending request = begun(command, now);
        if (many.looksAtAllKeys()) {
          barrier(request, () -> many.run(request));
        } else {
          many.run(request);
        }
      }
    }
  }

  private void count(CommandTable.Command command, List<byte[]> arguments, long now) {
    if (command.name().equals("INFO")) {
      Pending request = begun(command, now);
      barrier(request, () -> info(arguments, request));
    } else {
      int slot = ClusterCommands.slot(arguments);
      Pending request = begun(command, now);
      barrier(request, () -> countSlot(slot, request));
    }
  }

  /// Reads in the order of this connection's requests on the key.
  ///
  /// @param valueOnly whether the reply follows from the value alone
  void read(byte[] key, Level at, boolean valueOnly, Completion<ReadOutcome> done) {
    order.read(key, at, valueOnly, ended -> keyspace.read(key, at, ended), done);
  }

  /// Updates in the order of this connection's requests on the key.
  void update(byte[] key, Update update, Level at, Completion<UpdateOutcome> done) {
    boolean blind = update instanceof Update.Put put && put.blind();
    boolean forEver =
        blind
            && update instanceof Update.Put put
            && put.expiryMillis() == Update.NO_EXPIRY
            && keyspace.putsFollow(at);
    order.update(
        key,
        blind ? CommandTable.Kind.PUT : CommandTable.Kind.UPDATE,
        at,
        forEver ? ((Update.Put) update).value() : null,
        ended -> keyspace.update(key, update, at, ended),
        done);
  }

  /// Runs what looks at all keys: when all that came before has ended, and before all that comes.
  private void barrier(Pending request, Runnable begin) {
    hold();
    holder = request;
    if (order.isIdle()) {
      begin.run();
    } else {
      barrier = begin;
    }
  }

  /// Takes no request until [#release].
  void hold() {
    held = true;
  }

  /// Takes requests again.
  void release() {
    if (held) {
      held = false;
      output.readyForMore();
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

  /// `TERN.WITH R x W y command ...`
  private void with(List<byte[]> arguments, long now) {
    int[] at = {1};
    Level wanted = ServerCommands.level(arguments, at, level);
    List<byte[]> inner = arguments.subList(at[0], arguments.size());
    if (inner.isEmpty()) {
      throw new CommandException("ERR TERN.WITH R x W y needs a command");
    }
    CommandTable.Command command = CommandTable.find(inner.getFirst());
    Reply refusal = refusal(command, inner);
    if (command == null || refusal != null) {
      answerNow(command, java.util.Objects.requireNonNull(refusal), now);
    } else if (command.name().equals("TERN.WITH")) {
      throw new CommandException("ERR TERN.WITH cannot stand within TERN.WITH");
    } else {
      start(command, inner, wanted, now);
    }
  }

  /// A request has its reply.
  void answered(Pending request) {
    Reply reply = java.util.Objects.requireNonNull(request.reply);
    heldBytes += Reply.valueBytes(reply);
    long nanos = clock.monotonicNanos() - request.beganNanos;
    statistics.command(request.command, nanos, reply instanceof Reply.Error);
    if (!announced && pending.peekFirst() != null && pending.peekFirst().reply != null) {
      announced = true;
      output.repliesReady();
    }
    if (request == holder) {
      holder = null;
      release();
    }
    Runnable waiting = barrier;
    if (waiting != null && order.isIdle()) {
      barrier = null;
      waiting.run();
    }
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
      heldBytes -= Reply.valueBytes(first.reply);
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
