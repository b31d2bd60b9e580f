package dev.tern.proof;

import com.basho.riak.client.api.RiakClient;
import com.basho.riak.client.api.cap.ConflictResolver;
import com.basho.riak.client.api.cap.ConflictResolverFactory;
import com.basho.riak.client.api.cap.Quorum;
import com.basho.riak.client.api.cap.VClock;
import com.basho.riak.client.api.commands.buckets.FetchBucketProperties;
import com.basho.riak.client.api.commands.buckets.ListBuckets;
import com.basho.riak.client.api.commands.buckets.StoreBucketProperties;
import com.basho.riak.client.api.commands.kv.DeleteValue;
import com.basho.riak.client.api.commands.kv.FetchValue;
import com.basho.riak.client.api.commands.kv.ListKeys;
import com.basho.riak.client.api.commands.kv.MultiFetch;
import com.basho.riak.client.api.commands.kv.StoreValue;
import com.basho.riak.client.api.commands.kv.UpdateValue;
import com.basho.riak.client.core.RiakCluster;
import com.basho.riak.client.core.RiakNode;
import com.basho.riak.client.core.operations.FetchBucketPropsOperation;
import com.basho.riak.client.core.query.Location;
import com.basho.riak.client.core.query.Namespace;
import com.basho.riak.client.core.query.RiakObject;
import com.basho.riak.client.core.util.BinaryValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/// What users of riak-client do, against a Tern node. Usage: RiakProof PORT [down PORT...]; `down`
/// says that two of three nodes are dead, so that quorums must fail.
public final class RiakProof {
  /// Buckets of this run alone.
  private static String run = "-" + System.nanoTime();

  private static RiakClient client;
  private static RiakClient other;

  public static void main(String[] args) throws Exception {
    client = connect(Integer.parseInt(args[0]));
    try {
      if (args.length > 1 && args[1].equals("down")) {
        quorumFailures();
      } else {
        other = connect(Integer.parseInt(args[1]));
        fetchStoreDelete();
        metadata();
        siblings();
        resolver();
        conditions();
        multiFetch();
        properties();
        lists();
        errors();
        run = "";
        store(client, at("plain", "left", "alone"), text("for a later look"));
      }
    } finally {
      client.shutdown().get();
      if (other != null) {
        other.shutdown().get();
      }
    }
    System.exit(0);
  }

  private static RiakClient connect(int port) throws Exception {
    RiakNode node =
        new RiakNode.Builder().withRemoteAddress("127.0.0.1").withRemotePort(port).build();
    RiakCluster cluster = new RiakCluster.Builder(node).build();
    cluster.start();
    return new RiakClient(cluster);
  }

  private static void ok(String what) {
    System.out.println("ok   riak-client: " + what);
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private static Namespace bucket(String type, String bucket) {
    return new Namespace(type, bucket + run);
  }

  private static Location at(String type, String bucket, String key) {
    return new Location(bucket(type, bucket), key);
  }

  private static RiakObject text(String text) {
    return new RiakObject().setContentType("text/plain").setValue(BinaryValue.create(text));
  }

  private static FetchValue.Response fetch(RiakClient from, Location at) throws Exception {
    return from.execute(new FetchValue.Builder(at).build());
  }

  private static void store(RiakClient to, Location at, RiakObject object) throws Exception {
    to.execute(new StoreValue.Builder(object).withLocation(at).build());
  }

  private static Set<String> values(FetchValue.Response response) throws Exception {
    Set<String> values = new TreeSet<>();
    for (RiakObject object : response.getValues(RiakObject.class)) {
      values.add(object.getValue().toString());
    }
    return values;
  }

  private static void fetchStoreDelete() throws Exception {
    for (String type : new String[] {"default", "plain"}) {
      Location at = at(type, "people", "ada");
      check(fetch(client, at).isNotFound(), "nothing there yet");
      store(client, at, text("lovelace"));
      check(values(fetch(other, at)).equals(Set.of("lovelace")), "at another node");
      client.execute(new DeleteValue.Builder(at).build());
      FetchValue.Response gone = fetch(other, at);
      check(gone.isNotFound() && !gone.hasValues(), "deleted");
      client.execute(new DeleteValue.Builder(at).build());
    }
    StoreValue.Response made =
        client.execute(
            new StoreValue.Builder(text("anonymous"))
                .withNamespace(bucket("plain", "made"))
                .build());
    check(made.hasGeneratedKey(), "the store makes a key");
    Location at = new Location(bucket("plain", "made"), made.getGeneratedKey());
    check(values(fetch(client, at)).equals(Set.of("anonymous")), "under the key that was made");
    ok("fetch, store, delete, keys made by the store");
  }

  private static void metadata() throws Exception {
    Location at = at("plain", "docs", "meta");
    RiakObject object = text("{}").setContentType("application/json").setCharset("utf-8");
    object.getUserMeta().put("author", "ada");
    StoreValue.Response stored =
        client.execute(
            new StoreValue.Builder(object)
                .withLocation(at)
                .withOption(StoreValue.Option.RETURN_BODY, true)
                .build());
    check(stored.hasValues() && stored.getVectorClock() != null, "return body");
    RiakObject back = fetch(other, at).getValue(RiakObject.class);
    check(back.getContentType().equals("application/json"), "content type");
    check(back.getUserMeta().get("author").equals("ada"), "user metadata");
    check(back.getVTag() != null, "vtag");
    check(back.getLastModified() > 1_000_000_000L, "time " + back.getLastModified());
    FetchValue.Response head =
        client.execute(
            new FetchValue.Builder(at).withOption(FetchValue.Option.HEAD, true).build());
    RiakObject only = head.getValue(RiakObject.class);
    check(only.getValue() == null || only.getValue().length() == 0, "head has no value");
    check(only.getUserMeta().get("author").equals("ada"), "head has metadata");
    VClock clock = head.getVectorClock();
    FetchValue.Response unchanged =
        client.execute(
            new FetchValue.Builder(at).withOption(FetchValue.Option.IF_MODIFIED, clock).build());
    check(unchanged.isUnchanged(), "unchanged since its clock");
    ok("content type, metadata, return body, head, if-modified");
  }

  private static void siblings() throws Exception {
    Location at = at("plain", "carts", "shared");
    store(client, at, text("milk"));
    store(other, at, text("bread"));
    FetchValue.Response both = fetch(client, at);
    check(values(both).equals(Set.of("milk", "bread")), "two blind writers: " + values(both));
    store(client, at, text("milk, bread").setVClock(both.getVectorClock()));
    check(values(fetch(other, at)).equals(Set.of("milk, bread")), "resolved");
    // Two who have seen the same.
    VClock seen = fetch(client, at).getVectorClock();
    store(client, at, text("a").setVClock(seen));
    store(other, at, text("b").setVClock(seen));
    check(values(fetch(client, at)).equals(Set.of("a", "b")), "concurrent writers");
    // A delete that has not seen one of them.
    VClock partly = fetch(client, at).getVectorClock();
    store(other, at, text("c"));
    client.execute(new DeleteValue.Builder(at).withVClock(partly).build());
    Set<String> left = new TreeSet<>();
    for (RiakObject object : fetch(client, at).getValues(RiakObject.class)) {
      if (!object.isDeleted()) {
        left.add(object.getValue().toString());
      }
    }
    check(left.equals(Set.of("c")), "a delete leaves what it has not seen: " + left);
    Location single = at("default", "carts", "single");
    store(client, single, text("one"));
    store(other, single, text("two"));
    check(values(fetch(client, single)).equals(Set.of("two")), "allow_mult=false: the last wins");
    ok("siblings through two writers, resolved by context; allow_mult=false");
  }

  private static void resolver() throws Exception {
    ConflictResolverFactory.INSTANCE.registerConflictResolver(
        RiakObject.class,
        new ConflictResolver<RiakObject>() {
          @Override
          public RiakObject resolve(List<RiakObject> siblings) {
            if (siblings.isEmpty()) {
              return null;
            }
            Set<String> words = new TreeSet<>();
            for (RiakObject object : siblings) {
              words.addAll(List.of(object.getValue().toString().split(" ")));
            }
            return text(String.join(" ", words))
                .setVClock(siblings.get(0).getVClock())
                .setVTag(siblings.get(0).getVTag());
          }
        });
    Location at = at("plain", "carts", "resolved");
    store(client, at, text("x"));
    store(other, at, text("y"));
    UpdateValue update =
        new UpdateValue.Builder(at)
            .withFetchOption(FetchValue.Option.DELETED_VCLOCK, true)
            .withUpdate(
                new UpdateValue.Update<RiakObject>() {
                  @Override
                  public RiakObject apply(RiakObject original) {
                    String before = original == null ? "" : original.getValue() + " ";
                    return original == null
                        ? text("z")
                        : original.setValue(BinaryValue.create(before + "z"));
                  }
                })
            .build();
    UpdateValue.Response response = client.execute(update);
    check(response.wasUpdated(), "updated");
    ConflictResolverFactory.INSTANCE.unregisterConflictResolver(RiakObject.class);
    check(values(fetch(other, at)).equals(Set.of("x y z")), "update with a resolver");
    ok("update with a conflict resolver");
  }

  private static void conditions() throws Exception {
    Location at = at("plain", "locks", "a");
    StoreValue first =
        new StoreValue.Builder(text("mine"))
            .withLocation(at)
            .withOption(StoreValue.Option.IF_NONE_MATCH, true)
            .build();
    client.execute(first);
    fails("match_found", () -> other.execute(first));
    VClock seen = fetch(client, at).getVectorClock();
    StoreValue second =
        new StoreValue.Builder(text("again").setVClock(seen))
            .withLocation(at)
            .withOption(StoreValue.Option.IF_NOT_MODIFIED, true)
            .build();
    client.execute(second);
    fails("modified", () -> other.execute(second));
    ok("if-none-match, if-not-modified");
  }

  private static void fails(String with, Callable<?> action) throws Exception {
    try {
      action.call();
    } catch (ExecutionException e) {
      String text = String.valueOf(e.getCause().getMessage());
      check(text.contains(with), "failed with '" + text + "', not '" + with + "'");
      return;
    }
    throw new AssertionError("did not fail with " + with);
  }

  private static void multiFetch() throws Exception {
    List<Location> locations = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Location at = at("plain", "many", "k" + i);
      locations.add(at);
      store(i % 2 == 0 ? client : other, at, text("v" + i));
    }
    MultiFetch.Response response =
        client.execute(new MultiFetch.Builder().addLocations(locations).build());
    int found = 0;
    for (var each : response.getResponses()) {
      String value = values(each.get()).iterator().next();
      check(value.equals("v" + each.getQueryInfo().getKey().toString().substring(1)), value);
      found++;
    }
    check(found == 100, "found " + found);
    ok("multi-fetch of 100 keys");
  }

  private static void properties() throws Exception {
    Namespace bucket = bucket("plain", "settings");
    FetchBucketPropsOperation.Response before =
        client.execute(new FetchBucketProperties.Builder(bucket).build());
    check(before.getBucketProperties().getNVal() == 3, "n_val");
    check(before.getBucketProperties().getAllowMulti(), "allow_mult of plain");
    client.execute(
        new StoreBucketProperties.Builder(bucket)
            .withAllowMulti(false)
            .withR(1)
            .withW(Quorum.allQuorum().getIntValue())
            .build());
    var after =
        other.execute(new FetchBucketProperties.Builder(bucket).build()).getBucketProperties();
    check(!after.getAllowMulti(), "allow_mult set");
    check(after.getR().getIntValue() == 1 && after.getW().isSymbolic(), "r and w set");
    store(client, new Location(bucket, "k"), text("1"));
    store(client, new Location(bucket, "k"), text("2"));
    check(values(fetch(client, new Location(bucket, "k"))).equals(Set.of("2")), "goes by them");
    fails(
        "n_val",
        () -> client.execute(new StoreBucketProperties.Builder(bucket).withNVal(7).build()));
    ok("bucket properties: get, set");
  }

  private static void lists() throws Exception {
    Set<String> keys = new TreeSet<>();
    for (Location at :
        client.execute(new ListKeys.Builder(bucket("plain", "many")).build())) {
      keys.add(at.getKey().toString());
    }
    check(keys.size() == 100 && keys.contains("k7"), "keys: " + keys.size());
    Set<String> buckets = new TreeSet<>();
    for (Namespace bucket : client.execute(new ListBuckets.Builder("plain").build())) {
      buckets.add(bucket.getBucketName().toString());
    }
    check(buckets.containsAll(Set.of("many" + run, "docs" + run, "carts" + run)), "buckets: " + buckets);
    ok("list keys, list buckets");
  }

  private static void errors() throws Exception {
    fails("No bucket-type named 'nope'", () -> fetch(client, at("nope", "b", "k")));
    Location at = at("plain", "b", "k");
    fails(
        "n_val_violation",
        () ->
            client.execute(
                new FetchValue.Builder(at)
                    .withOption(FetchValue.Option.R, new Quorum(4))
                    .build()));
    byte[] large = new byte[20 << 20];
    fails(
        "at most",
        () ->
            client.execute(
                new StoreValue.Builder(text("large").setValue(BinaryValue.create(large)))
                    .withLocation(at)
                    .build()));
    check(fetch(client, at).isNotFound(), "the connection serves on");
    ok("errors in Riak's words");
  }

  private static void quorumFailures() throws Exception {
    run = "";
    Location at = at("plain", "left", "alone");
    fails(
        "pw_val_unsatisfied",
        () ->
            client.execute(
                new StoreValue.Builder(text("x"))
                    .withLocation(at)
                    .withOption(StoreValue.Option.PW, Quorum.quorumQuorum())
                    .build()));
    fails(
        "pr_val_unsatisfied",
        () ->
            client.execute(
                new FetchValue.Builder(at)
                    .withOption(FetchValue.Option.PR, Quorum.quorumQuorum())
                    .build()));
    FetchValue.Response one =
        client.execute(
            new FetchValue.Builder(at).withOption(FetchValue.Option.R, Quorum.oneQuorum()).build());
    check(one.hasValues(), "one of one answers");
    ok("quorum failures say which quorum; r=1 answers");
  }
}
