package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

class UsageReportTest {

    private static UsageTotals calls(long calls, long input) {
        return new UsageTotals(calls, input, 2, 1, 20, BigInteger.valueOf(3_500_000_000L), 0, 1);
    }

    @Test
    void jsonIsThatOfTheHttpApi() throws JsonProcessingException {
        var report = new UsageReport("user:alice", 24);
        report.add("openai", "gpt-4o", calls(1, 10));
        report.add("openai", " GPT-4o", calls(2, 20));
        report.add("openai", "o3", calls(1, 5));

        assertThat(new ObjectMapper().writeValueAsString(report))
                .isEqualTo("{\"identifier\":\"user:alice\",\"window_hours\":24,"
                        + "\"providers\":{\"openai\":{" + totals(4, 35, 6, 3, 60, "0.0105", 3, 26)
                        + ",\"window_hours\":24,\"models\":{"
                        + "\"gpt-4o\":{" + totals(3, 30, 4, 2, 40, "0.007", 2, 24) + "},\"o3\":{"
                        + totals(1, 5, 2, 1, 20, "0.0035", 1, 2)
                        + "}}}}}");
    }

    private static String totals(long calls, long input, long cached, long written, long output, String cost, long estimated,
            long plain) {
        return "\"calls\":" + calls + ",\"input_tokens\":" + input + ",\"output_tokens\":" + output
                + ",\"cached_input_tokens\":"
                + cached + ",\"cache_write_input_tokens\":" + written + ",\"cost_usd\":\"" + cost
                + "\",\"unpriced_calls\":0,\"estimated_calls\":" + estimated + ",\"details\":{\"cache_write\":{\"tokens\":"
                + written
                + ",\"cost_usd\":\"0\"},\"cached_input\":{\"tokens\":" + cached
                + ",\"cost_usd\":\"0\"},\"input\":{\"tokens\":" + plain + ",\"cost_usd\":\"0\"},\"other\":{\"cost_usd\":\""
                + cost
                + "\"},\"output\":{\"tokens\":" + output + ",\"cost_usd\":\"0\"}}";
    }
}
