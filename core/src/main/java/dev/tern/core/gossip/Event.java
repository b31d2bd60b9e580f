package dev.tern.core.gossip;

/// What became of a member, as this member believes.
public sealed interface Event extends Effect {
  /// The member's number.
  int number();

  /// The incarnation it happened to; [Incarnation#generation] tells a restart.
  long incarnation();

  /// It is there: new, started again, or wrongly suspected.
  record Alive(int number, long incarnation) implements Event {}

  /// It did not answer somebody. Better ask another.
  record Suspect(int number, long incarnation) implements Event {}

  /// It did not object to that in time.
  record Dead(int number, long incarnation) implements Event {}

  /// It said goodbye.
  record Left(int number, long incarnation) implements Event {}

  /// The event of a member's coming to a status.
  static Event of(int number, long incarnation, Status status) {
    return switch (status) {
      case ALIVE -> new Alive(number, incarnation);
      case SUSPECT -> new Suspect(number, incarnation);
      case DEAD -> new Dead(number, incarnation);
      case LEFT -> new Left(number, incarnation);
    };
  }
}
