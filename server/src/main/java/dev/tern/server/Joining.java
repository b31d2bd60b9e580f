package dev.tern.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.KnownTopology;
import dev.tern.core.topology.log.Levels;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import dev.tern.runtime.RuntimeEnvironment;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// How a new node is let in: it looks at its own directory and rehearses its start, then asks the
/// admin doors of the seeds, one after the other, until one has had the topology log admit it, and
/// is told its number and the topology. It says which protocol levels it speaks: a cluster at
/// another level refuses it before it is a member. It says a token, too, which lies in its
/// directory before it first asks: whoever says the token of a member asks again, as the answer was
/// lost.
final class Joining {
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final int ROUNDS = 10;
  private static final long PAUSE_NANOS = 1_000_000_000;
  private static final String LOG = "topology/log";
  private static final String TOKEN = "topology/newcomer.own";
  private static final int TOKEN_DIGITS = 16;
  private static final String SNAPSHOTS = "topology/snapshots";

  private Joining() {}

  /// Blocks, for some seconds while no seed can say. On return this node is a member, and its
  /// directory durably says so.
  ///
  /// @param files of this node's directory, which has no topology
  /// @return a state with a member at this node's address
  /// @throws IOException if the directory was another node's, this node could not start, the
  ///   cluster refuses, or no seed answers, with the reason
  static TopologyState join(ServerConfig config, FileSystem files) throws IOException {
    AutoCloseable lock = Rehearsal.lock(files);
    try {
      look(config, files);
      Rehearsal.run(config, files);
      TopologyState told = ask(config, token(files));
      KnownTopology.join(files, RuntimeEnvironment.fileLives(), told);
      files.delete(TOKEN);
      return told;
    } finally {
      release(lock);
    }
  }

  private static void release(AutoCloseable lock) throws IOException {
    try {
      lock.close();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the directory's lock could not be released", e);
    }
  }

  private static void look(ServerConfig config, FileSystem files) throws IOException {
    String former = former(files);
    if (former != null) {
      throw new IOException(
          "%s: it has %s of a node, and no topology/known, which says whose; put that file back, or start with an empty directory"
              .formatted(config.data(), former));
    }
  }

  /// This directory's token, durable: 16 hexadecimal digits.
  private static String token(FileSystem files) throws IOException {
    if (files.exists(TOKEN)) {
      try (FileSystem.ReadableFile file = files.open(TOKEN)) {
        ByteBuffer bytes = ByteBuffer.allocate(TOKEN_DIGITS);
        int read = file.read(0, bytes);
        String token = new String(bytes.array(), 0, Math.max(0, read), US_ASCII);
        if (token.matches("[0-9a-f]{16}")) {
          return token;
        }
      }
      // Cut while it was written, so nobody was told of it.
      files.delete(TOKEN);
    }
    String token = "%016x".formatted(RuntimeEnvironment.fileLives().next().low());
    try (FileSystem.WritableFile file = files.create(TOKEN)) {
      file.append(ByteBuffer.wrap(token.getBytes(US_ASCII)));
      file.force();
    }
    files.forceDirectory("topology");
    return token;
  }

  private static TopologyState ask(ServerConfig config, String token) throws IOException {
    List<MemberEntry> seeds = config.seedList();
    String last = "there are no seeds";
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(ANSWER).build()) {
      for (int round = 0; round < ROUNDS; round++) {
        for (MemberEntry seed : seeds) {
          Member member = seed.member();
          String door = member.host() + ":" + member.ports().admin();
          try {
            HttpResponse<String> answer = client.send(request(config, token, door), text());
            if (answer.statusCode() == 200) {
              TopologyState told = state(answer.body());
              if (hasThisNode(told, config)) {
                return told;
              }
              last = door + " lets in another node than this one, at another address";
              continue;
            }
            last = door + " says: " + answer.body().strip();
            if (answer.statusCode() == 409) {
              throw new Refused(last);
            }
          } catch (Refused e) {
            throw e;
          } catch (IOException e) {
            last = "no admin door answers at " + door;
          }
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      last = "interrupted";
    }
    throw new IOException("this node is not let in: " + last);
  }

  /// What a node of before has left in a directory, null for nothing: it would be refused only when
  /// the cluster has let this node in.
  private static @Nullable String former(FileSystem files) throws IOException {
    for (int shard = 0; shard < ServerConfig.MAX_SHARDS; shard++) {
      String store = "shard-" + shard;
      for (String name : files.list(store)) {
        // Left by a rehearsal. Anything else is a store's, even if CURRENT is lost.
        if (!name.equals("LOCK") && !name.equals(Rehearsal.PROBE)) {
          return "the store " + store;
        }
      }
    }
    for (String directory : List.of(LOG, SNAPSHOTS)) {
      if (!files.list(directory).isEmpty()) {
        return "the topology log " + directory;
      }
    }
    return null;
  }

  private static final class Refused extends IOException {
    private static final long serialVersionUID = 1;

    Refused(String why) {
      super("this node is not let in: " + why);
    }
  }

  private static HttpResponse.BodyHandler<String> text() {
    return HttpResponse.BodyHandlers.ofString();
  }

  private static boolean hasThisNode(TopologyState told, ServerConfig config) {
    return told.members().stream().anyMatch(entry -> config.isHere(entry.member()));
  }

  private static HttpRequest request(ServerConfig config, String token, String door) {
    ObjectNode body = JsonMapper.builder().build().createObjectNode();
    body.put("host", config.advertise()).put("zone", config.zone()).put("weight", config.weight());
    body.put("internode", config.internodePort()).put("token", token);
    body.put("minLevel", Levels.OURS.min()).put("maxLevel", Levels.OURS.max());
    config.doorPorts().forEach(body::put);
    return HttpRequest.newBuilder(URI.create("http://" + door + "/cluster/join"))
        .header("Content-Type", "application/json")
        .timeout(ANSWER)
        .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
        .build();
  }

  private static TopologyState state(String answer) throws IOException {
    try {
      JsonNode json = JsonMapper.builder().build().readTree(answer);
      byte[] bytes = Base64.getDecoder().decode(json.path("topology").asText());
      return TopologyCodec.state(new ByteReader(bytes));
    } catch (IllegalArgumentException | DecodeException e) {
      throw new Refused("the cluster's answer cannot be read: " + e.getMessage());
    }
  }
}
