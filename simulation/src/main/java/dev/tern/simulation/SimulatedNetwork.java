package dev.tern.simulation;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Network;
import org.jspecify.annotations.Nullable;

/// All connections between the nodes of a world.
final class SimulatedNetwork {
  private final World world;
  private final Port[] ports;

  /// `cut[a][b]`: nothing from a reaches b.
  private final boolean[][] cut;

  double loss;
  double duplication;
  long delayNanos = 200_000;

  SimulatedNetwork(World world, int nodes) {
    this.world = world;
    this.ports = new Port[nodes + 1];
    this.cut = new boolean[nodes + 1][nodes + 1];
    for (int i = 1; i <= nodes; i++) {
      ports[i] = new Port(i);
    }
  }

  /// A node's side.
  Network of(int node) {
    Port port = new Port(node);
    ports[node] = port;
    return port;
  }

  void cut(int from, int to, boolean isCut) {
    cut[from][to] = isCut;
  }

  void heal() {
    for (boolean[] row : cut) {
      java.util.Arrays.fill(row, false);
    }
    loss = 0;
    duplication = 0;
    delayNanos = 200_000;
  }

  /// The others see the node's connections break.
  void down(int node) {
    ports[node] = new Port(node);
    for (Port port : ports) {
      if (port != null && port.self != node && port.receiver != null) {
        Network.Receiver receiver = port.receiver;
        world.schedule(
            world.between(100_000, 1_000_000),
            port.self,
            () -> receiver.connection(0, node, false));
      }
    }
  }

  private final class Port implements Network {
    private final int self;
    private @Nullable Receiver receiver;

    Port(int self) {
      this.self = self;
    }

    @Override
    public void start(Receiver newReceiver) {
      receiver = newReceiver;
    }

    @Override
    public void connect(int node, String host, int port) {
      // Connected from the beginning, unless cut.
    }

    @Override
    public boolean send(int fromShard, int node, int toShard, ByteWriter payload) {
      if (ports[node].receiver == null) {
        return false;
      }
      byte[] bytes = payload.toByteArray();
      int copies = world.chance(duplication) ? 2 : 1;
      for (int i = 0; i < copies; i++) {
        if (!cut[self][node] && !world.chance(loss)) {
          deliver(fromShard, node, bytes);
        }
      }
      return true;
    }

    private void deliver(int fromShard, int node, byte[] bytes) {
      long delay = world.between(delayNanos / 4, delayNanos * 2);
      if (world.chance(0.01)) {
        delay *= 20;
      }
      world.schedule(
          delay,
          node,
          () -> {
            Receiver to = ports[node].receiver;
            if (to != null && !cut[self][node]) {
              to.frame(self, fromShard, 0, new ByteReader(bytes));
            }
          });
    }

    @Override
    public boolean connected(int fromShard, int node) {
      return ports[node].receiver != null;
    }
  }
}
