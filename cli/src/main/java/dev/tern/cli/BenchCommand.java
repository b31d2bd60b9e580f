package dev.tern.cli;

import dev.tern.bench.RespLoad;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Load against one or two RESP servers, side by side.
@Command(
    name = "bench",
    description = "RESP load against a server and, alternating in the same run, a peer.",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  @Option(names = "--target", description = "HOST:PORT of Tern")
  private String target = "127.0.0.1:6379";

  @Option(names = "--peer", description = "HOST:PORT of a peer, for ratios")
  private String peer = "";

  @Option(names = "--connections")
  private int connections = 50;

  @Option(names = "--pipeline")
  private int pipeline = 1;

  @Option(names = "--value-bytes")
  private int valueBytes = 100;

  @Option(names = "--keys")
  private int keys = 100_000;

  @Option(names = "--seconds", description = "of each round")
  private int seconds = 5;

  @Option(names = "--rounds")
  private int rounds = 5;

  @Option(names = "--rate", description = "operations a second in open loop; 0: closed loop")
  private int rate;

  @Option(names = "--workload", description = "set, get, incr or mixed", split = ",")
  private String[] workloads = {"set", "get"};

  @Override
  public Integer call() throws Exception {
    RespLoad.Options options =
        new RespLoad.Options(connections, pipeline, valueBytes, keys, seconds, rounds, rate);
    for (String workload : workloads) {
      RespLoad.compare(target, peer, workload, options, System.out);
    }
    return 0;
  }
}
