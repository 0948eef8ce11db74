package dev.sluice.attack;

import java.util.List;

/** An attack and its name in the report. */
record NamedAttack(String name, Attack attack) {

    static final List<NamedAttack> ALL = List.of(
            new NamedAttack("a limit of 10,000 and of 10,001 in turn, over 9,000 units", DecisionApiAttacks::alternateForms),
            new NamedAttack("eight rates of a cost of 10,000", DecisionApiAttacks::dearestRequest),
            new NamedAttack("keys that last for 62 days", DecisionApiAttacks::memoryOfRedis),
            new NamedAttack("5,000 windows of one identifier", DecisionApiAttacks::windowsOfOneIdentifier),
            new NamedAttack("usage reported under invented names", DecisionApiAttacks::inventedUsage),
            new NamedAttack("300 invented provider keys", LlmAttacks::inventedKeys),
            new NamedAttack("120 parallel calls without max_tokens on one dollar", LlmAttacks::parallelCallsOnABudget),
            new NamedAttack("responses in the background on a budget", LlmAttacks::responsesInTheBackground),
            new NamedAttack("other spellings of a call's path", LlmAttacks::spellings),
            new NamedAttack("parameters that go beside Sluice's key", LlmAttacks::foreignCredentials),
            new NamedAttack("headers that name a caller", CallerAttacks::inventedCallers),
            new NamedAttack("tokens without a subject", CallerAttacks::tokensWithoutSubject),
            new NamedAttack("method overrides", CallerAttacks::methodOverrides),
            new NamedAttack("malformed requests", WireAttacks::malformedRequests),
            new NamedAttack("silent connections", WireAttacks::silentConnections),
            new NamedAttack("broken connections", WireAttacks::brokenConnections),
            new NamedAttack("floods of PING and SETTINGS", WireAttacks::controlFrames));

    @Override
    public String toString() {
        return name;
    }
}
