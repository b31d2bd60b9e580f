package dev.tern.world;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Network;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// All connections between the nodes of a world. A connection that breaks loses what is under way
/// on it; one that is cut loses all, and neither end is told.
public final class SimulatedNetwork {
  /// Sees frames.
  public interface Observer {
    void sent(int from, int to, byte[] frame);

    /// One copy of a frame arrives, and is handed to its receiver next.
    default void arrived(int from, int to, byte[] frame) {}

    /// Whether a copy of a frame that would arrive now is not lost.
    default boolean passes(int from, int to, byte[] frame) {
      return true;
    }
  }

  private final World world;
  private final Port[] ports;

  /// `cut[a][b]`: nothing from a reaches b.
  private final boolean[][] cut;

  /// `extraNanos[a][b]`: how much longer a frame from a to b takes.
  private final long[][] extraNanos;

  /// `broken[a][b]`: how often the connection from a to b broke; a frame of an older one is lost.
  private final int[][] broken;

  private final Observer observer;

  public double loss;
  public double duplication;
  public long delayNanos = 200_000;

  /// @param observer sees each frame that is sent, and each copy that arrives
  public SimulatedNetwork(World world, int nodes, Observer observer) {
    this.world = world;
    this.observer = observer;
    this.ports = new Port[nodes + 1];
    this.cut = new boolean[nodes + 1][nodes + 1];
    this.extraNanos = new long[nodes + 1][nodes + 1];
    this.broken = new int[nodes + 1][nodes + 1];
    for (int i = 1; i <= nodes; i++) {
      ports[i] = new Port(i, 1);
    }
  }

  /// A node's side.
  public Network of(int node, int shards) {
    Port port = new Port(node, shards);
    ports[node] = port;
    return port;
  }

  public void cut(int from, int to, boolean isCut) {
    cut[from][to] = isCut;
  }

  /// Makes frames from a node to another take longer.
  public void slow(int from, int to, long nanos) {
    extraNanos[from][to] = nanos;
  }

  /// The connection between two nodes breaks, and they connect again.
  public void breakConnection(int one, int other) {
    broken[one][other]++;
    broken[other][one]++;
    ports[one].lost(other);
    ports[other].lost(one);
  }

  /// Bytes that a node never sent arrive as one of its frames.
  ///
  /// @param refused told whether they were refused, on the receiving node
  public void forge(int from, int to, int shard, byte[] bytes, Consumer<Boolean> refused) {
    world.schedule(
        1_000,
        to,
        () -> {
          Port port = ports[to];
          Network.Receiver receiver = port.receiver;
          if (receiver != null) {
            try {
              receiver.frame(from, 0, shard % port.shards, new ByteReader(bytes));
              refused.accept(false);
            } catch (DecodeException e) {
              refused.accept(true);
            }
          }
        });
  }

  public void heal() {
    for (boolean[] row : cut) {
      Arrays.fill(row, false);
    }
    for (long[] row : extraNanos) {
      Arrays.fill(row, 0);
    }
    loss = 0;
    duplication = 0;
    delayNanos = 200_000;
  }

  /// The others see the node's connections break.
  public void down(int node) {
    ports[node] = new Port(node, 1);
    for (Port port : ports) {
      if (port != null && port.self != node) {
        port.lost(node);
      }
    }
  }

  private final class Port implements Network {
    private final int self;
    private final int shards;
    private @Nullable Receiver receiver;

    Port(int self, int shards) {
      this.self = self;
      this.shards = shards;
    }

    /// This node learns that its connection to another broke.
    void lost(int node) {
      if (receiver == null) {
        return;
      }
      Receiver told = receiver;
      for (int i = 0; i < shards; i++) {
        int shard = i;
        world.schedule(
            world.between(100_000, 1_000_000), self, () -> told.connection(shard, node, false));
      }
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
      if (payload.length() > MAX_PAYLOAD_BYTES) {
        return false;
      }
      byte[] bytes = payload.toByteArray();
      if (ports[node].receiver == null) {
        return false;
      }
      observer.sent(self, node, bytes);
      int copies = world.chance(duplication) ? 2 : 1;
      for (int i = 0; i < copies; i++) {
        if (!cut[self][node] && !world.chance(loss)) {
          deliver(fromShard, node, toShard, bytes);
        }
      }
      return true;
    }

    private void deliver(int fromShard, int node, int toShard, byte[] bytes) {
      long delay = world.between(delayNanos / 4, delayNanos * 2);
      if (world.chance(0.01)) {
        delay *= 20;
      }
      int connection = broken[self][node];
      world.schedule(
          delay + extraNanos[self][node],
          node,
          () -> {
            Port port = ports[node];
            Receiver to = port.receiver;
            boolean open = !cut[self][node] && connection == broken[self][node];
            if (to != null && open && observer.passes(self, node, bytes)) {
              observer.arrived(self, node, bytes);
              to.frame(self, fromShard, toShard % port.shards, new ByteReader(bytes));
            }
          });
    }

    @Override
    public boolean connected(int fromShard, int node) {
      return ports[node].receiver != null;
    }
  }
}
