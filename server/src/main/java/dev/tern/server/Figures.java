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
        .register(registry);
    for (Counter counter : Counter.values()) {
      String name = "tern." + counter.name().toLowerCase(Locale.ROOT).replace('_', '.');
      FunctionCounter.builder(name, node, n -> n.statistic(counter)).register(registry);
    }
    Gauge.builder("tern.partitions.lacking", node, n -> n.repairs().lacking()).register(registry);
    Gauge.builder("tern.fill.bytes.per.second", node, Node::fillRate).register(registry);
    Gauge.builder("tern.partitions.rebuilding", node, n -> n.repairs().rebuilding())
        .register(registry);
    Gauge.builder("tern.partitions.behind", node, Node::partitionsBehind).register(registry);
    Gauge.builder("tern.partitions.left", node, n -> n.left().count()).register(registry);
    Gauge.builder("tern.partitions.left.unreadable", node, n -> n.left().unreadable().cardinality())
        .register(registry);
    seconds("tern.clocks.spread.seconds", node, Clocks::spreadMillis);
    seconds("tern.clock.ahead.seconds", node, Clocks::ownMillis);
    seconds("tern.time.ahead.seconds", node, Clocks::timeMillis);
    Gauge.builder("tern.time.set", node, n -> n.time().isSet() ? 1 : 0).register(registry);
    disk(node);
    Gauge.builder("tern.hints.waiting", node, Node::heldHints).register(registry);
    for (int shard = 0; shard < node.shards(); shard++) {
      String label = Integer.toString(shard);
      int number = shard;
      Gauge.builder("tern.waiting", node, n -> n.waiting(number))
          .tag("shard", label)
          .register(registry);
      store(node, shard);
    }
    doors.forEach(this::door);
    sum("tern.redis.commands", DoorStatistics::commands);
    sum("tern.redis.errors", DoorStatistics::errors);
    sum("tern.redis.protocol.errors", DoorStatistics::protocolErrors);
    sum("tern.redis.accepted", DoorStatistics::accepted);
    Gauge.builder(
            "tern.redis.connections",
            redis,
            all -> all.stream().mapToDouble(DoorStatistics::connections).sum())
        .register(registry);
  }

  /// What the storage engine of a shard says.
  private void store(Node node, int shard) {
    gauge(node, shard, "tern.lsm.memtable.bytes", LsmStatistics::memtableBytes);
    gauge(node, shard, "tern.lsm.immutable.memtables", LsmStatistics::immutableMemtables);
    gauge(node, shard, "tern.lsm.tables", LsmStatistics::tables);
    gauge(node, shard, "tern.lsm.table.bytes", LsmStatistics::tableBytes);
    gauge(node, shard, "tern.lsm.cache.bytes", LsmStatistics::cacheBytes);
    gauge(node, shard, "tern.lsm.cache.hits", LsmStatistics::cacheHits);
    gauge(node, shard, "tern.lsm.cache.misses", LsmStatistics::cacheMisses);
    gauge(node, shard, "tern.lsm.flushes", LsmStatistics::flushes);
    gauge(node, shard, "tern.lsm.compactions", LsmStatistics::compactions);
    gauge(node, shard, "tern.lsm.log.bytes", LsmStatistics::logBytes);
    gauge(node, shard, "tern.lsm.log.syncs", LsmStatistics::logSyncs);
    gauge(node, shard, "tern.lsm.background.failures", LsmStatistics::backgroundFailures);
    gauge(node, shard, "tern.lsm.tables.set.aside", LsmStatistics::tablesSetAside);
    gauge(node, shard, "tern.lsm.log.bytes.dropped", LsmStatistics::logBytesDropped);
    memory(node, shard);
    gauge(node, shard, "tern.lsm.level0.tables", s -> s.levels().getFirst().tables());
    gauge(node, shard, "tern.lsm.flush.bytes", LsmStatistics::flushBytes);
    gauge(node, shard, "tern.lsm.compaction.read.bytes", LsmStatistics::compactionBytesRead);
    gauge(node, shard, "tern.lsm.compaction.written.bytes", LsmStatistics::compactionBytesWritten);
    gauge(node, shard, "tern.lsm.tables.dropped", LsmStatistics::tablesDropped);
    gauge(node, shard, "tern.lsm.ingests", LsmStatistics::ingests);
    gauge(node, shard, "tern.lsm.ingest.bytes", LsmStatistics::ingestBytes);
    gauge(node, shard, "tern.lsm.cache.refused", LsmStatistics::cacheRefused);
    gauge(node, shard, "tern.lsm.delayed.nanos", LsmStatistics::delayedNanos);
    gauge(node, shard, "tern.lsm.paced.nanos", LsmStatistics::pacedNanos);
    gauge(node, shard, "tern.lsm.snapshot.age.millis", LsmStatistics::oldestSnapshotMillis);
    gauge(node, shard, "tern.lsm.iterator.age.millis", LsmStatistics::oldestIteratorMillis);
    gauge(node, shard, "tern.lsm.unreclaimed", LsmStatistics::unreclaimed);
    gauge(node, shard, "tern.lsm.undeleted.files", LsmStatistics::undeleted);
  }

  /// Whether the disk is full, and what of it cannot be read.
  private void disk(Node node) {
    Gauge.builder("tern.disk.full", node, n -> n.fullDisk() == null ? 0 : 1).register(registry);
    FunctionCounter.builder("tern.unreadable.records", node, Node::unreadableRecords)
        .register(registry);
  }

  /// A door's connections, what they hold, and which were closed by this node.
  private void door(ClientDoor door) {
    String name = door.name();
    ClientBounds bounds = door.bounds();
    Gauge.builder("tern.door.connections", door, ClientDoor::connections)
        .tag("door", name)
        .register(registry);
    FunctionCounter.builder("tern.door.accepted", door, ClientDoor::accepted)
        .tag("door", name)
        .register(registry);
    Gauge.builder("tern.door.reply.bytes", bounds, ClientBounds::replyBytes)
        .tag("door", name)
        .register(registry);
    for (ClientBounds.Reason reason : ClientBounds.Reason.values()) {
      FunctionCounter.builder("tern.door.closed", bounds, all -> all.closed(reason))
          .tag("door", name)
          .tag("reason", reason.name().toLowerCase(Locale.ROOT))
          .register(registry);
    }
  }

  private void memory(Node node, int shard) {
    gauge(node, shard, "tern.lsm.memory.budget", s -> s.memory().budget());
    gauge(node, shard, "tern.lsm.memory.held", s -> s.memory().held());
    gauge(node, shard, "tern.lsm.memory.filters", s -> s.memory().filtersAndIndexes());
    gauge(node, shard, "tern.lsm.memory.buffers", s -> s.memory().buffers());
    gauge(node, shard, "tern.lsm.memory.tables", s -> s.memory().tables());
    gauge(node, shard, "tern.lsm.memory.jobs", s -> s.memory().jobs());
    gauge(node, shard, "tern.lsm.memory.log", s -> s.memory().log());
  }

  private void gauge(Node node, int shard, String name, ToDoubleFunction<LsmStatistics> figure) {
    Gauge.builder(name, node, n -> figure.applyAsDouble(n.storage(shard)))
        .tag("shard", Integer.toString(shard))
        .register(registry);
  }

  private void seconds(String name, Node node, ToDoubleFunction<Clocks> millis) {
    Gauge.builder(name, node, n -> millis.applyAsDouble(n.time().clocks()) / 1e3)
        .register(registry);
  }

  private void sum(String name, ToDoubleFunction<DoorStatistics> figure) {
    FunctionCounter.builder(name, redis, all -> all.stream().mapToDouble(figure).sum())
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
