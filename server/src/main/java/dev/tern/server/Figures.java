package dev.tern.server;

import com.sun.management.ThreadMXBean;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.node.Node;
import dev.tern.core.version.ClusterTime.Clocks;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.resp.DoorStatistics;
import dev.tern.gateway.session.ClientDoor;
import dev.tern.lsm.LsmStatistics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// The node's figures in Prometheus's text. Each is read from counters the shards keep anyway; a
/// scrape costs them nothing.
final class Figures implements AutoCloseable {
  /// A figure of a shard's storage engine.
  private record StoreFigure(String name, String help, ToDoubleFunction<LsmStatistics> of) {}

  private static final List<StoreFigure> STORE =
      List.of(
          new StoreFigure(
              "tern.lsm.memtable.bytes",
              "memory of the memtables, bytes",
              LsmStatistics::memtableBytes),
          new StoreFigure(
              "tern.lsm.immutable.memtables",
              "memtables that wait for a flush",
              LsmStatistics::immutableMemtables),
          new StoreFigure("tern.lsm.tables", "tables of the store", LsmStatistics::tables),
          new StoreFigure(
              "tern.lsm.table.bytes", "tables on the disk, bytes", LsmStatistics::tableBytes),
          new StoreFigure(
              "tern.lsm.cache.bytes",
              "memory of the block cache, bytes",
              LsmStatistics::cacheBytes),
          new StoreFigure(
              "tern.lsm.cache.hits",
              "block reads that the cache served, since the start",
              LsmStatistics::cacheHits),
          new StoreFigure(
              "tern.lsm.cache.misses",
              "block reads that went to a file, since the start",
              LsmStatistics::cacheMisses),
          new StoreFigure(
              "tern.lsm.flushes", "flushes of memtables, since the start", LsmStatistics::flushes),
          new StoreFigure(
              "tern.lsm.compactions", "compactions, since the start", LsmStatistics::compactions),
          new StoreFigure(
              "tern.lsm.log.bytes",
              "appended to the write-ahead log since the start, bytes",
              LsmStatistics::logBytes),
          new StoreFigure(
              "tern.lsm.log.syncs",
              "fsyncs of the write-ahead log, since the start",
              LsmStatistics::logSyncs),
          new StoreFigure(
              "tern.lsm.background.failures",
              "flushes and compactions that failed and are tried again, since the start",
              LsmStatistics::backgroundFailures),
          new StoreFigure(
              "tern.lsm.tables.set.aside",
              "tables that made compactions fail and that none takes for a while",
              LsmStatistics::tablesSetAside),
          new StoreFigure(
              "tern.lsm.log.bytes.dropped",
              "found behind the ends of logs at the opening, bytes",
              LsmStatistics::logBytesDropped),
          new StoreFigure(
              "tern.lsm.level0.tables",
              "tables of level 0: many slow writers down",
              s -> s.levels().getFirst().tables()),
          new StoreFigure(
              "tern.lsm.flush.bytes",
              "written by flushes since the start, bytes",
              LsmStatistics::flushBytes),
          new StoreFigure(
              "tern.lsm.compaction.read.bytes",
              "read by compactions since the start, bytes",
              LsmStatistics::compactionBytesRead),
          new StoreFigure(
              "tern.lsm.compaction.written.bytes",
              "written by compactions since the start, bytes",
              LsmStatistics::compactionBytesWritten),
          new StoreFigure(
              "tern.lsm.tables.dropped",
              "tables that went without being read, as all in them was deleted or too old",
              LsmStatistics::tablesDropped),
          new StoreFigure(
              "tern.lsm.ingests",
              "ingests of tables from outside, since the start",
              LsmStatistics::ingests),
          new StoreFigure(
              "tern.lsm.ingest.bytes",
              "tables taken in from outside since the start, bytes",
              LsmStatistics::ingestBytes),
          new StoreFigure(
              "tern.lsm.cache.refused",
              "blocks read that were not worth their room in the cache, since the start",
              LsmStatistics::cacheRefused),
          new StoreFigure(
              "tern.lsm.delayed.nanos",
              "time that writers were held up since the start, nanoseconds",
              LsmStatistics::delayedNanos),
          new StoreFigure(
              "tern.lsm.paced.nanos",
              "time that compactions held back since the start, nanoseconds",
              LsmStatistics::pacedNanos),
          new StoreFigure(
              "tern.lsm.snapshot.age.millis",
              "age of the oldest open snapshot, milliseconds; 0 for none",
              LsmStatistics::oldestSnapshotMillis),
          new StoreFigure(
              "tern.lsm.iterator.age.millis",
              "age of the oldest open iterator, milliseconds; 0 for none",
              LsmStatistics::oldestIteratorMillis),
          new StoreFigure(
              "tern.lsm.unreclaimed",
              "read states and blocks that wait for readers to leave",
              LsmStatistics::unreclaimed),
          new StoreFigure(
              "tern.lsm.undeleted.files",
              "files that are not needed and could not be deleted",
              LsmStatistics::undeleted),
          new StoreFigure(
              "tern.lsm.memory.budget",
              "memory that the engine was given, bytes; of all shards together",
              s -> s.memory().budget()),
          new StoreFigure(
              "tern.lsm.memory.held",
              "memory that the engine holds of its budget, bytes",
              s -> s.memory().held()),
          new StoreFigure(
              "tern.lsm.memory.filters",
              "memory of filters and indexes of open tables, bytes",
              s -> s.memory().filtersAndIndexes()),
          new StoreFigure(
              "tern.lsm.memory.buffers",
              "memory of buffers for blocks outside the cache, bytes",
              s -> s.memory().buffers()),
          new StoreFigure(
              "tern.lsm.memory.tables",
              "memory of the lists of tables and of open files, bytes",
              s -> s.memory().tables()),
          new StoreFigure(
              "tern.lsm.memory.jobs",
              "memory that flushes and compactions write through, bytes",
              s -> s.memory().jobs()),
          new StoreFigure(
              "tern.lsm.memory.log",
              "memory that the write-ahead log gathers in, bytes",
              s -> s.memory().log()));

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics gc = new JvmGcMetrics();
  private final List<DoorStatistics> redis;

  /// @param redis figures of the Redis door by shard
  /// @param doors of clients
  Figures(Node node, List<DoorStatistics> redis, List<ClientDoor> doors) {
    this.redis = redis;
    new JvmMemoryMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    gc.bindTo(registry);
    ThreadMXBean threads = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
    FunctionCounter.builder(
            "tern.allocated.bytes", threads, ThreadMXBean::getTotalThreadAllocatedBytes)
        .description("bytes of the heap that threads allocated")
        .register(registry);
    for (Counter counter : Counter.values()) {
      String name = "tern." + counter.name().toLowerCase(Locale.ROOT).replace('_', '.');
      FunctionCounter.builder(name, node, n -> n.statistic(counter))
          .description(counter.help())
          .register(registry);
    }
    partitions(node);
    clocks(node);
    disk(node);
    Gauge.builder("tern.hints.waiting", node, Node::heldHints)
        .description("writes that this node holds for others")
        .register(registry);
    for (int shard = 0; shard < node.shards(); shard++) {
      String label = Integer.toString(shard);
      int number = shard;
      Gauge.builder("tern.waiting", node, n -> n.waiting(number))
          .description("requests and writes under way in the shard")
          .tag("shard", label)
          .register(registry);
      store(node, shard);
    }
    doors.forEach(this::door);
    redis();
  }

  /// What of the replicas here is not as it should be.
  private void partitions(Node node) {
    Gauge.builder("tern.partitions.lacking", node, n -> n.repairs().lacking())
        .description("partitions here that lack what another replica has")
        .register(registry);
    Gauge.builder("tern.fill.bytes.per.second", node, Node::fillRate)
        .description(
            "records of other replicas that this node lets itself take and give, bytes a second")
        .register(registry);
    Gauge.builder("tern.partitions.rebuilding", node, n -> n.repairs().rebuilding())
        .description("partitions here that are being taken whole from another replica")
        .register(registry);
    Gauge.builder("tern.partitions.behind", node, Node::partitionsBehind)
        .description("partitions here that do not know yet what the other replicas have")
        .register(registry);
    Gauge.builder("tern.partitions.left", node, n -> n.left().count())
        .description("partitions of which this node holds something though it is no replica")
        .register(registry);
    Gauge.builder("tern.partitions.left.unreadable", node, n -> n.left().unreadable().cardinality())
        .description("partitions left of which this node cannot read what remains")
        .register(registry);
  }

  private void clocks(Node node) {
    seconds(
        "tern.clocks.spread.seconds",
        "between the earliest and the latest wall clock of the members, seconds",
        node,
        Clocks::spreadMillis);
    seconds(
        "tern.clock.ahead.seconds",
        "wall clock of this node less the median of the members, seconds",
        node,
        Clocks::ownMillis);
    seconds(
        "tern.time.ahead.seconds",
        "time of the cluster less the median of the clocks, seconds",
        node,
        Clocks::timeMillis);
    Gauge.builder("tern.time.set", node, n -> n.time().isSet() ? 1 : 0)
        .description("1 if the time of the cluster is set, 0 if not")
        .register(registry);
  }

  private void redis() {
    sum(
        "tern.redis.commands",
        "commands of the Redis door that were answered",
        DoorStatistics::commands);
    sum("tern.redis.errors", "error replies of the Redis door", DoorStatistics::errors);
    sum(
        "tern.redis.protocol.errors",
        "connections of the Redis door whose bytes were no request",
        DoorStatistics::protocolErrors);
    sum(
        "tern.redis.accepted",
        "connections of the Redis door since the start",
        DoorStatistics::accepted);
    Gauge.builder(
            "tern.redis.connections",
            redis,
            all -> all.stream().mapToDouble(DoorStatistics::connections).sum())
        .description("connections of the Redis door that are open")
        .register(registry);
  }

  /// What the storage engine of a shard says.
  private void store(Node node, int shard) {
    for (StoreFigure figure : STORE) {
      Gauge.builder(figure.name, node, n -> figure.of.applyAsDouble(n.storage(shard)))
          .description(figure.help)
          .tag("shard", Integer.toString(shard))
          .register(registry);
    }
  }

  /// Whether the disk is full, and what of it cannot be read.
  private void disk(Node node) {
    Gauge.builder("tern.disk.full", node, n -> n.fullDisk() == null ? 0 : 1)
        .description("1 if the disk of this node is full, 0 if not")
        .register(registry);
    FunctionCounter.builder("tern.unreadable.records", node, Node::unreadableRecords)
        .description("reads of records that cannot be decoded")
        .register(registry);
  }

  /// A door's connections, what they hold, and which were closed by this node.
  private void door(ClientDoor door) {
    String name = door.name();
    ClientBounds bounds = door.bounds();
    Gauge.builder("tern.door.connections", door, ClientDoor::connections)
        .description("connections of the door that are open")
        .tag("door", name)
        .register(registry);
    FunctionCounter.builder("tern.door.accepted", door, ClientDoor::accepted)
        .description("connections of the door since the start")
        .tag("door", name)
        .register(registry);
    Gauge.builder("tern.door.reply.bytes", bounds, ClientBounds::replyBytes)
        .description("replies that clients of the door have not taken, bytes")
        .tag("door", name)
        .register(registry);
    for (ClientBounds.Reason reason : ClientBounds.Reason.values()) {
      FunctionCounter.builder("tern.door.closed", bounds, all -> all.closed(reason))
          .description("connections of the door that this node closed")
          .tag("door", name)
          .tag("reason", reason.name().toLowerCase(Locale.ROOT))
          .register(registry);
    }
  }

  private void seconds(String name, String help, Node node, ToDoubleFunction<Clocks> millis) {
    Gauge.builder(name, node, n -> millis.applyAsDouble(n.time().clocks()) / 1e3)
        .description(help)
        .register(registry);
  }

  private void sum(String name, String help, ToDoubleFunction<DoorStatistics> figure) {
    FunctionCounter.builder(name, redis, all -> all.stream().mapToDouble(figure).sum())
        .description(help)
        .register(registry);
  }

  /// All figures, the latency histogram of the Redis door included.
  String scrape() {
    StringBuilder text = new StringBuilder(registry.scrape());
    text.append("# HELP tern_redis_latency_seconds From a request's arrival to its reply\n");
    text.append("# TYPE tern_redis_latency_seconds histogram\n");
    long count = 0;
    for (int i = 0; i <= DoorStatistics.BUCKET_MICROS.length; i++) {
      int bucket = i;
      count += redis.stream().mapToLong(door -> door.bucket(bucket)).sum();
      String bound =
          i < DoorStatistics.BUCKET_MICROS.length
              ? Double.toString(DoorStatistics.BUCKET_MICROS[i] / 1e6)
              : "+Inf";
      text.append("tern_redis_latency_seconds_bucket{le=\"%s\"} %d\n".formatted(bound, count));
    }
    double seconds = redis.stream().mapToLong(DoorStatistics::micros).sum() / 1e6;
    text.append("tern_redis_latency_seconds_sum %s\n".formatted(seconds));
    text.append("tern_redis_latency_seconds_count %d\n".formatted(count));
    return text.toString();
  }

  @Override
  public void close() {
    gc.close();
    registry.close();
  }
}
