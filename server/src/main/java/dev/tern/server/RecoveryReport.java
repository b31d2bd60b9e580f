package dev.tern.server;

import dev.tern.core.node.Node;
import dev.tern.lsm.LogLoss;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the log, once at the start, what the stores found behind the ends of their logs and
/// dropped.
final class RecoveryReport {
  private static final Logger LOG = LoggerFactory.getLogger(RecoveryReport.class);

  private RecoveryReport() {}

  static void log(Node node) {
    for (int shard = 0; shard < node.shards(); shard++) {
      for (LogLoss loss : node.logLosses(shard)) {
        LOG.warn(
            "{} (a crash leaves a torn end; the other replicas bring back what was there)", loss);
      }
    }
  }
}
