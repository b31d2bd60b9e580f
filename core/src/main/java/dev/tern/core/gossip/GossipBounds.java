package dev.tern.core.gossip;

/// The times and numbers of the protocol, and what follows from them: how long a death stays
/// unknown at most.
///
/// A period is one probe of each member. With n members, n - 1 of them ask at random, so a dead
/// member meets about one probe a period: none in k periods with a chance of `e^-k`, and each list
/// of members is worked off in turn, so none is passed over for more than `2 (n - 1) - 1` periods.
///
/// ```
///   |-- until first asked --|-- a period: no answer --|-- suspicion --|-- rumour --|
/// ```
///
/// The suspicion lasts [#suspicionMaxMillis] if nobody confirms it, and is over at once after
/// [#suspicionMinMillis] when [#CONFIRMATIONS] others did. So the bound is the smaller of two:
/// first probe and the longest suspicion, or four probes and the shortest.
public final class GossipBounds {
  /// How often [Gossip#tick] is to be called.
  public static final long TICK_MILLIS = 50;

  /// A healthy member probes one other so often.
  public static final long PERIOD_MILLIS = 500;

  /// How long a healthy member waits for an answer before it asks others to try.
  public static final long TIMEOUT_MILLIS = 200;

  /// How often rumours are passed on, while there are any.
  public static final long RUMOUR_MILLIS = 200;

  /// To how many members, each time.
  public static final int FANOUT = 3;

  /// How many are asked to try when a member does not answer.
  public static final int RELAYS = 3;

  /// Independent accusers, beside the first, that make a suspicion shortest.
  public static final int CONFIRMATIONS = 3;

  /// Shortest suspicion: so many periods times the logarithm of the members (Lifeguard's alpha).
  static final int SUSPICION_PERIODS = 4;

  /// The longest suspicion is so many times the shortest (Lifeguard's beta).
  static final int SUSPICION_RATIO = 6;

  /// A rumour is sent so many times the logarithm of the members (SWIM's lambda).
  static final int TRANSMITS = 4;

  /// Two members compare all they know so often, in a small cluster.
  static final long SYNC_MILLIS = 15_000;

  /// Up to so many members [#SYNC_MILLIS] holds; each doubling adds as much again.
  private static final int SYNC_MEMBERS = 32;

  /// How often a dead or unheard member is tried.
  static final long KNOCK_MILLIS = 1_000;

  /// A member that has joined nobody yet tries so often.
  static final long JOIN_MILLIS = 500;

  /// A tick that comes later than this after the one before says that this member was held up.
  static final long LATE_MILLIS = 150;

  /// `e^-14` is a chance in a million: periods in which somebody will have asked.
  private static final int PERIODS_TO_FIRST_PROBE = 14;

  /// Periods in which `1 + CONFIRMATIONS` will have asked but for a chance in a million (Poisson).
  private static final int PERIODS_TO_ALL_PROBES = 25;

  private GossipBounds() {}

  /// How often a member passes on a rumour: `4 ceil(log10(n + 1))`.
  public static int transmits(int members) {
    return TRANSMITS * (int) Math.ceil(Math.log10(members + 1.0));
  }

  /// How many confirmations make a suspicion shortest; 0 where there are too few members to hope
  /// for them: then it is shortest from the start.
  public static int confirmations(int members) {
    return members - 2 < CONFIRMATIONS ? 0 : CONFIRMATIONS;
  }

  /// The time that a confirmed suspect has: `4 max(1, log10 n)` periods.
  public static long suspicionMinMillis(int members) {
    double periods = SUSPICION_PERIODS * Math.max(1, Math.log10(Math.max(1, members)));
    return Math.round(periods * PERIOD_MILLIS);
  }

  /// The time that a suspect of one accuser has.
  public static long suspicionMaxMillis(int members) {
    return suspicionMinMillis(members) * SUSPICION_RATIO;
  }

  /// In which a rumour reaches everybody: the rounds in which one member passes it on, twice.
  /// Epidemics are faster (logarithmic to the base `1 + FANOUT`); the rest is for what gets lost.
  public static long rumourMillis(int members) {
    int rounds = (transmits(members) + FANOUT - 1) / FANOUT;
    return RUMOUR_MILLIS * rounds * 2;
  }

  /// Within so long after its death a member is suspected by every member, but for a chance in a
  /// million; see [#detectionMillis(int)].
  public static long suspectedMillis(int members) {
    return probes(members, PERIODS_TO_FIRST_PROBE, 1) + rumourMillis(members);
  }

  /// Within so long after its death a member is dead to every member, but for a chance in a
  /// million: without cuts, at up to 10 % loss, and with no more members slow than one in ten of
  /// many or none of few.
  public static long detectionMillis(int members) {
    return detectionMillis(members, 1);
  }

  /// The same where those who ask are of a local health of `health` or better: few members, some of
  /// them slow, come to distrust themselves, and ask more slowly. Never more than with a health of
  /// 8.
  public static long detectionMillis(int members, int health) {
    long unconfirmed =
        probes(members, PERIODS_TO_FIRST_PROBE, health)
            + (confirmations(members) == 0
                ? suspicionMinMillis(members)
                : suspicionMaxMillis(members));
    long confirmed =
        probes(members, PERIODS_TO_ALL_PROBES, health)
            + rumourMillis(members)
            + suspicionMinMillis(members);
    return Math.min(unconfirmed, confirmed) + rumourMillis(members);
  }

  /// How often a member compares all it knows with another: the more members, the more bytes that
  /// takes, so the more rarely.
  static long syncMillis(int members) {
    if (members <= SYNC_MEMBERS) {
      return SYNC_MILLIS;
    }
    double doublings = Math.log((double) members / SYNC_MEMBERS) / Math.log(2);
    return SYNC_MILLIS * (1 + (long) Math.ceil(doublings));
  }

  /// Few members ask in turn, each as slowly as its health wants; of many, most are healthy.
  private static long probes(int members, int periods, int health) {
    long inTurn = Math.max(1, 2L * (members - 1) - 1) * (health + 1);
    return (Math.min(inTurn, periods) + health + 1) * (PERIOD_MILLIS + TICK_MILLIS);
  }
}
