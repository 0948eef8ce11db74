package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;

/** The ledger in memory has the same bounds per identifier as the one in Redis. */
class InMemoryLedgerTest {

    private static final long HOUR = 500_000;

    private final InMemoryLedger ledger = new InMemoryLedger(100_000);

    private boolean book(String identifier, String model, String request) {
        return ledger.book(new LedgerEntry(identifier, "openai", model, TokenUsage.of(10, 5), 7, false, request, 100), HOUR)
                .await().indefinitely();
    }

    @Test
    void furtherModelsOfAnHourAreSummedAsOne() {
        for (int i = 0; i < 300; i++) {
            book("user:a", "m" + i % 150, null);
        }
        var models = ledger.read("user:a", HOUR - 5, HOUR).await().indefinitely().providers().get("openai");
        assertThat(models).hasSize(101);
        assertThat(models.get("m99").calls()).isEqualTo(2);
        assertThat(models.get("other").calls()).isEqualTo(100);
    }

    @Test
    void requestIdsAreBounded() {
        int most = LedgerStore.MAX_REQUEST_IDS;
        for (int i = 0; i <= most; i++) {
            assertThat(book("user:a", "m", "r" + i)).isTrue();
        }
        assertThat(book("user:a", "m", "r1")).isFalse();
        assertThat(book("user:a", "m", "r" + most)).isFalse();
        assertThat(book("user:a", "m", "r0")).as("forgotten").isTrue();
        assertThat(book("user:b", "m", "r5")).isTrue();
    }

    @Test
    void histogramIsReadByModelAndHour() {
        book("user:a", "m", null);
        book("user:a", "m2", null);
        assertThat(ledger.readOutputs("user:a", "openai", "m", HOUR, HOUR).await().indefinitely().calls()).isEqualTo(1);
        assertThat(ledger.readOutputs("user:a", "gemini", "m", HOUR, HOUR).await().indefinitely().calls()).isZero();
        assertThat(ledger.readOutputs("user:a", "openai", "m", HOUR - 9, HOUR - 1).await().indefinitely().calls()).isZero();
    }
}
