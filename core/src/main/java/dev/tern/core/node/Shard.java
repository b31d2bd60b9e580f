package dev.tern.core.node;

import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.liveness.Sightings;
import dev.tern.core.quorum.Coordinator;
import dev.tern.core.quorum.Responder;
import dev.tern.core.repair.AntiEntropy;
import dev.tern.core.repair.RepairScope;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.SnapshotFiles;
import dev.tern.core.replica.Store;
import dev.tern.core.store.DiskReserve;
import dev.tern.core.store.RecordStore;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Slots;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.lsm.Lsm;
import java.io.IOException;
import java.util.function.Consumer;

/// One event loop's share of a node: its partitions' store, replicas and coordinator.
///
/// A partition belongs to the shard `partition mod shards`; a frame is addressed with the
/// partition, so that sender and receiver may have different numbers of shards.
final class Shard implements AutoCloseable {
  private final int self;
  private final EventLoop loop;
  private final Store store;
  private final Replica replica;
  private final Coordinator coordinator;
  private final Responder responder;

  private final AntiEntropy antiEntropy;

  private Shard(
      int self,
      EventLoop loop,
      Store store,
      Replica replica,
      Coordinator coordinator,
      Responder responder,
      AntiEntropy antiEntropy) {
    this.self = self;
    this.loop = loop;
    this.store = store;
    this.replica = replica;
    this.coordinator = coordinator;
    this.responder = responder;
    this.antiEntropy = antiEntropy;
  }

  static Shard open(
      Environment environment,
      NodeConfig config,
      ClusterView view,
      int number,
      Sightings sightings,
      DiskReserve reserve,
      ClusterTime time,
      Coordinator.Counts counts,
      Consumer<Integer> behind,
      Consumer<Integer> ahead)
      throws IOException {
    EventLoop loop = environment.loops().get(number);
    var randomness = environment.randomness().child("shard-" + number);
    int shards = environment.loops().size();
    Lsm lsm =
        Lsm.open(
            environment.files(),
            loop.background(),
            environment.clock(),
            randomness.child("lsm"),
            "shard-" + number,
            config.storage(),
            found -> RecordStore.look(found, view, config.self(), number, shards));
    Store store;
    try {
      store =
          Store.open(
              lsm,
              view.partitions(),
              number,
              shards,
              randomness.child("identity"),
              environment.events());
      String foreign = store.problem(view, config.self());
      if (foreign != null) {
        throw new IOException(foreign);
      }
    } catch (IOException | RuntimeException e) {
      lsm.close();
      throw e;
    }
    Replica replica =
        new Replica(store, loop, time, config.self(), config.limits(), config.planted(), reserve);
    ShardContext context =
        ShardContext.of(
            number,
            config.self(),
            loop,
            time,
            environment.network(),
            config.planted(),
            config.limits());
    long firstId = randomness.child("ids").nextLong() >>> 8;
    Coordinator coordinator = new Coordinator(context, view, replica, firstId, sightings, counts);
    store.adopt(view, config.self());
    Responder responder = new Responder(context, coordinator, replica, behind, ahead);
    SnapshotFiles files =
        new SnapshotFiles(
            environment.files(),
            environment.clock(),
            randomness.child("snapshots"),
            "snapshots-" + number);
    files.clear();
    long firstRepair = randomness.child("repairs").nextLong() >>> 8;
    AntiEntropy antiEntropy =
        new AntiEntropy(context, replica, files, wire(coordinator, store), view, firstRepair);
    return new Shard(config.self(), loop, store, replica, coordinator, responder, antiEntropy);
  }

  private static AntiEntropy.Wire wire(Coordinator coordinator, Store store) {
    return new AntiEntropy.Wire() {
      @Override
      public boolean live(int member) {
        return coordinator.live(member);
      }

      @Override
      public void send(int member, int partition, Message message) {
        coordinator.answer(member, partition, message);
      }

      @Override
      public boolean keeps(int partition) {
        int slot = Slots.COUNT / coordinator.view().partitions() * partition;
        return store.records().holds(slot);
      }

      @Override
      public boolean sendsAway(int partition) {
        return coordinator.sendsAway(partition);
      }
    };
  }

  void start() {
    loop.execute(this::beat);
  }

  /// Another topology holds from now on; on the loop.
  void adopt(ClusterView view) {
    store.adopt(view, self);
    coordinator.adopt(view);
    antiEntropy.adopt(view);
  }

  private void beat() {
    coordinator.beat();
    responder.beat();
    antiEntropy.beat();
    loop.schedule(Coordinator.BEAT_NANOS, this::beat);
  }

  /// Handles a frame.
  void frame(int fromNode, int fromShard, ByteReader payload) {
    Message message = decoded(payload);
    coordinator.heard(fromNode);
    switch (message) {
      case Message.Request request -> responder.request(fromNode, fromShard, request);
      case Message.Reply reply -> coordinator.reply(fromNode, reply);
      case Message.Repair repair -> antiEntropy.receive(fromNode, repair);
      case Message.Inquiry inquiry -> antiEntropy.receive(fromNode, fromShard, inquiry);
    }
  }

  /// A frame that is refused here has changed nothing.
  ///
  /// @throws DecodeException if it cannot be read, or names what is not the partition's
  private Message decoded(ByteReader payload) {
    try {
      Message message = MessageCodec.decode(payload);
      if (message instanceof Message.Repaired repaired) {
        RepairScope.check(coordinator.view(), repaired);
      }
      return message;
    } catch (DecodeException e) {
      malformed();
      throw e;
    }
  }

  /// A frame for this shard could not be decoded.
  void malformed() {
    coordinator.statistics().add(Statistics.Counter.FRAMES_MALFORMED, 1);
  }

  /// Answers a request of a node that has not greeted: nothing was done.
  ///
  /// @throws DecodeException if it cannot be read
  void refuse(int fromNode, int fromShard, ByteReader payload) {
    if (decoded(payload) instanceof Message.Request request) {
      coordinator.answer(
          fromNode,
          fromShard,
          new Message.Refused(
              request.id(),
              new Unanswered.Refused(
                  Unanswered.Reason.LOADING,
                  "a replica has just started and meets the others; try again",
                  20)));
    }
  }

  /// Other nodes know of a life of this one that its directory does not; on the loop.
  void setBack() {
    if (store.distrustId()) {
      coordinator.statistics().add(Statistics.Counter.NEW_REPLICA_IDS, 1);
    }
  }

  /// A connection opened or broke.
  void connection(int node, boolean open) {
    coordinator.connection(node, open);
    if (open) {
      antiEntropy.connected(node);
    }
  }

  AntiEntropy antiEntropy() {
    return antiEntropy;
  }

  EventLoop loop() {
    return loop;
  }

  Store store() {
    return store;
  }

  Replica replica() {
    return replica;
  }

  Coordinator coordinator() {
    return coordinator;
  }

  @Override
  public void close() throws IOException {
    store.close();
  }
}
