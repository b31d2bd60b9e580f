package dev.tern.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// How a new node is let in: it asks the admin doors of the seeds, one after the other, until one
/// has had the topology log admit it, and is told its number and the topology.
final class Joining {
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final int ROUNDS = 10;
  private static final long PAUSE_NANOS = 1_000_000_000;

  private Joining() {}

  /// Blocks, for some seconds while no seed can say.
  ///
  /// @return a state with a member at this node's address
  /// @throws IOException if the cluster refuses, or no seed answers, with the reason
  static TopologyState join(ServerConfig config) throws IOException {
    List<MemberEntry> seeds = config.seedList();
    String last = "there are no seeds";
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(ANSWER).build()) {
      for (int round = 0; round < ROUNDS; round++) {
        for (MemberEntry seed : seeds) {
          Member member = seed.member();
          String door = member.host() + ":" + member.ports().admin();
          try {
            HttpResponse<String> answer = client.send(request(config, door), text());
            if (answer.statusCode() == 200) {
              return state(answer.body());
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

  private static final class Refused extends IOException {
    private static final long serialVersionUID = 1;

    Refused(String why) {
      super("this node is not let in: " + why);
    }
  }

  private static HttpResponse.BodyHandler<String> text() {
    return HttpResponse.BodyHandlers.ofString();
  }

  private static HttpRequest request(ServerConfig config, String door) {
    ObjectNode body = JsonMapper.builder().build().createObjectNode();
    body.put("host", config.advertise()).put("zone", config.zone()).put("weight", config.weight());
    body.put("internode", config.internodePort());
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
      throw new IOException("the cluster's answer cannot be read: " + e.getMessage(), e);
    }
  }
}
