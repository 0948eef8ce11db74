package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.limit.DeferredCall;
import dev.sluice.llm.limit.ReservedWindows;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;

/** Tests the form of stored responses in Redis. */
class StoredResponseTest {

    private static final String EARLIER = "{\"owner\":\"user:a\",\"provider\":\"openai\",\"type\":\"OPENAI\","
            + "\"identifier\":\"user:a\",\"ledger\":\"user:a\",\"model\":\"gpt-4o\",\"input\":3,\"output\":4,"
            + "\"tier\":\"STANDARD\",\"reservation\":\"r-0123456789abcdef0123456789abcdef-60\",\"tokens\":\"llm:openai:tokens\","
            + "\"budget\":\"llm:openai:budget\"";

    @Test
    void formIsReadAsWritten() {
        var windows = new ReservedWindows(List.of("user:a", "team:t"), Map.of("llm:openai:input-tokens", LimitKind.INPUT_TOKENS,
                "llm:openai:output-tokens/gpt-4o", LimitKind.OUTPUT_TOKENS, "llm:budget", LimitKind.BUDGET));
        var response = new StoredResponse("user:a", new DeferredCall(Provider.OPENAI, windows, "user:a", "gpt-4o",
                TokenUsage.of(3, 4), UsageDetails.NONE, "r-1", CallOwner.of("user:a", IdentityChain.NONE)));
        assertThat(StoredResponse.decode(response.encode())).isEqualTo(response);
        assertThat(StoredResponse.decode(response.settled().encode())).isEqualTo(response.settled());
    }

    @Test
    void windowsThatAnEarlierVersionHasWrittenAreRead() {
        assertThat(StoredResponse.decode(EARLIER + "}").pending().windows()).isEqualTo(new ReservedWindows(List.of("user:a"),
                Map.of("llm:openai:tokens", LimitKind.TOKENS, "llm:openai:budget", LimitKind.BUDGET)));
        var ofLevels = EARLIER
                + ",\"identifiers\":[\"user:a\",\"team:t\"],\"all_tokens\":[\"llm:openai:tokens\",\"llm:tokens\"],"
                + "\"all_budgets\":[\"llm:openai:budget\"]}";
        assertThat(StoredResponse.decode(ofLevels).pending().windows()).isEqualTo(new ReservedWindows(
                List.of("user:a", "team:t"),
                Map.of("llm:openai:tokens", LimitKind.TOKENS, "llm:tokens", LimitKind.TOKENS, "llm:openai:budget",
                        LimitKind.BUDGET)));
    }
}
