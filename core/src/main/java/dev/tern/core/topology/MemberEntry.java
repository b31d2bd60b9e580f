package dev.tern.core.topology;

import dev.tern.core.ring.Candidate;
import org.jspecify.annotations.Nullable;

/// A member as the topology log keeps it.
///
/// @param weight how much it shall hold in proportion to others; 0 for nothing
/// @param leaving it shall hold nothing and not vote any more, and is removed when it does neither
/// @param away it is down for long: it shall hold nothing until it is back
public record MemberEntry(Member member, int weight, boolean leaving, boolean away) {
  /// The weight of a member of which nothing else is said.
  public static final int USUAL_WEIGHT = 100;

  private static final int MAX_WEIGHT = 1_000_000;

  /// A weight that a member may have.
  ///
  /// @throws IllegalArgumentException if it is none
  public static int checkedWeight(int weight) {
    String problem = weightProblem(weight);
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    return weight;
  }

  /// Why no member has a weight; null if one may.
  static @Nullable String weightProblem(int weight) {
    return weight < 0 || weight > MAX_WEIGHT
        ? "a weight lies between 0 and %d, not %d".formatted(MAX_WEIGHT, weight)
        : null;
  }

  /// A member of the usual weight that stays.
  public static MemberEntry of(Member member) {
    return new MemberEntry(member, USUAL_WEIGHT, false);
  }

  /// A member that is not away.
  public MemberEntry(Member member, int weight, boolean leaving) {
    this(member, weight, leaving, /* away= */ false);
  }

  /// The same of another weight.
  public MemberEntry weighing(int other) {
    return new MemberEntry(member, other, leaving, away);
  }

  /// The same in another zone.
  public MemberEntry standingIn(String zone) {
    Member there = new Member(member.number(), member.name(), zone, member.host(), member.ports());
    return new MemberEntry(there, weight, leaving, away);
  }

  /// The same under another name.
  MemberEntry named(String name) {
    Member anew = new Member(member.number(), name, member.zone(), member.host(), member.ports());
    return new MemberEntry(anew, weight, leaving, away);
  }

  /// The same on its way out.
  public MemberEntry thatLeaves() {
    return new MemberEntry(member, weight, true, away);
  }

  /// The same, down for long or back.
  MemberEntry thatIsAway(boolean isAway) {
    return new MemberEntry(member, weight, leaving, isAway);
  }

  public int number() {
    return member.number();
  }

  public String zone() {
    return member.zone();
  }

  /// Whether it may be given replicas.
  public boolean eligible() {
    return !leaving && !away && weight > 0;
  }

  /// As the planner sees it.
  public Candidate candidate() {
    return new Candidate(number(), zone(), weight, leaving || away);
  }
}
