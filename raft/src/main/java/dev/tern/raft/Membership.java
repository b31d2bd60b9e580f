package dev.tern.raft;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/// Who takes part. Lists are sorted and free of repeats.
///
/// Joint consensus (Ongaro, "Consensus: Bridging Theory and Practice", 2014, section 4.3): while
/// `outgoing` is not empty, a decision needs a majority of `voters` and one of `outgoing`. A member
/// that is a learner and still in `outgoing` votes until the joint membership is left.
///
/// ```
///   varint n, varint id * n    three times: voters, outgoing, learners
/// ```
///
/// @param voters decide
/// @param outgoing decide too, until the joint membership is left; empty outside of it
/// @param learners receive the log and have no voice
public record Membership(List<Integer> voters, List<Integer> outgoing, List<Integer> learners) {
  /// Nobody: what a member knows that waits to be told.
  public static final Membership NOBODY = of(List.of(), List.of());

  /// The most members of a group; bounds what is decoded.
  public static final int MAX_MEMBERS = 64;

  /// How a vote stands.
  enum Tally {
    WON,
    LOST,
    OPEN
  }

  /// A number for each member.
  interface ByMember {
    long of(int member);
  }

  public Membership {
    voters = sorted(voters);
    outgoing = sorted(outgoing);
    learners = sorted(learners);
  }

  public static Membership of(Collection<Integer> voters, Collection<Integer> learners) {
    return new Membership(List.copyOf(voters), List.of(), List.copyOf(learners));
  }

  private static List<Integer> sorted(List<Integer> members) {
    for (int i = 1; i < members.size(); i++) {
      if (members.get(i - 1) >= members.get(i)) {
        return List.copyOf(new TreeSet<>(members));
      }
    }
    return List.copyOf(members);
  }

  public boolean joint() {
    return !outgoing.isEmpty();
  }

  public boolean isVoter(int member) {
    return voters.contains(member) || outgoing.contains(member);
  }

  public boolean contains(int member) {
    return isVoter(member) || learners.contains(member);
  }

  /// All members, sorted.
  public List<Integer> members() {
    TreeSet<Integer> all = new TreeSet<>(voters);
    all.addAll(outgoing);
    all.addAll(learners);
    return List.copyOf(all);
  }

  /// The next membership on the way to `target`: the target itself if at most one voter changes
  /// (any two majorities meet), else the joint one.
  Membership towards(Membership target) {
    TreeSet<Integer> changed = new TreeSet<>(voters);
    changed.removeAll(target.voters);
    int changes = changed.size();
    changed = new TreeSet<>(target.voters);
    changed.removeAll(voters);
    changes += changed.size();
    return changes <= 1 ? target : new Membership(target.voters, voters, target.learners);
  }

  Membership left() {
    return new Membership(voters, List.of(), learners);
  }

  /// The largest number that a majority (of both sets, if joint) has reached.
  long reached(ByMember numbers, RaftBug bug) {
    long reached = majority(voters, numbers);
    boolean both = joint() && bug != RaftBug.JOINT_COUNTS_ONE_MAJORITY;
    return both ? Math.min(reached, majority(outgoing, numbers)) : reached;
  }

  private static long majority(List<Integer> members, ByMember numbers) {
    int count = members.size();
    if (count == 0) {
      return 0;
    }
    long[] sorted = new long[count];
    for (int i = 0; i < count; i++) {
      sorted[i] = numbers.of(members.get(i));
    }
    Arrays.sort(sorted);
    return sorted[count - (count / 2 + 1)];
  }

  /// How a vote stands; `votes` is 1 for yes, -1 for no, 0 for nothing heard.
  Tally tally(ByMember votes, RaftBug bug) {
    Tally tally = tally(voters, votes);
    if (!joint() || bug == RaftBug.JOINT_COUNTS_ONE_MAJORITY) {
      return tally;
    }
    Tally other = tally(outgoing, votes);
    if (tally == Tally.LOST || other == Tally.LOST) {
      return Tally.LOST;
    }
    return tally == Tally.WON && other == Tally.WON ? Tally.WON : Tally.OPEN;
  }

  private static Tally tally(List<Integer> members, ByMember votes) {
    int yes = 0;
    int no = 0;
    for (int member : members) {
      long vote = votes.of(member);
      yes += vote > 0 ? 1 : 0;
      no += vote < 0 ? 1 : 0;
    }
    int needed = members.size() / 2 + 1;
    if (yes >= needed) {
      return Tally.WON;
    }
    return members.size() - no < needed ? Tally.LOST : Tally.OPEN;
  }

  /// Appends it to `out`.
  public void encode(ByteWriter out) {
    encode(voters, out);
    encode(outgoing, out);
    encode(learners, out);
  }

  byte[] encoded() {
    ByteWriter out = new ByteWriter(32);
    encode(out);
    return out.toByteArray();
  }

  private static void encode(List<Integer> members, ByteWriter out) {
    out.writeVarInt(members.size());
    for (int member : members) {
      out.writeVarInt(member);
    }
  }

  /// @throws DecodeException if the bytes are no membership
  public static Membership decode(ByteReader in) {
    return new Membership(list(in), list(in), list(in));
  }

  private static List<Integer> list(ByteReader in) {
    int count = in.readLength();
    if (count > MAX_MEMBERS) {
      throw new DecodeException("a membership of " + count + " members");
    }
    List<Integer> members = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int member = in.readVarInt();
      if (member <= 0) {
        throw new DecodeException("a member of number " + member);
      }
      members.add(member);
    }
    return members;
  }

  @Override
  public String toString() {
    String text = "voters=" + join(voters);
    text += outgoing.isEmpty() ? "" : " outgoing=" + join(outgoing);
    return learners.isEmpty() ? text : text + " learners=" + join(learners);
  }

  private static String join(List<Integer> members) {
    StringBuilder text = new StringBuilder();
    for (int member : members) {
      text.append(text.isEmpty() ? "" : ",").append(member);
    }
    return text.toString();
  }
}
