package dev.sluice.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.Rate;

/** Invalid values are rejected before anything is installed. */
class ChartSchemaTest {

    private static final String WITHOUT_ADMIN_TOKEN = "{adminToken: {enabled: false}}";

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {}                                                                     | Where is Redis?
            {redis: {host: r}, replica: 3}                                         | additional properties 'replica' not allowed
            {redis: {host: r, port: 70000}}                                        | '/redis/port'
            {redis: {host: r, hosts: [localhost]}}                                 | '/redis/hosts/0'
            {redis: {host: r, clientType: sentinels}}                              | '/redis/clientType'
            {redis: {host: r}, fallback: maybe}                                    | '/fallback'
            {redis: {host: r}, rows: {default: 10/fortnight}}                      | '/rows/default'
            {redis: {host: r}, rows: {endpoints: {login: {free: 1/minute}}}}       | '/rows/endpoints'
            {redis: {host: r}, rows: {endpoints: {/login: {free: often}}}}         | '/rows/endpoints/~1login/free'
            {redis: {host: r}, rows: {endpoints: {/login: {fallback: 1/minute}}}}  | '/rows/endpoints/~1login/fallback'
            {redis: {host: r}, rows: {api-keys: {a: {user: b}}}}                   | additional properties 'api-keys' not allowed
            {redis: {host: r}, rows: {llm: {openai: {budget: {pro: free}}}}}       | '/rows/llm/openai/budget/pro'
            {redis: {host: r}, apiKeys: {keys: {a: {sha256: abc, user: b}}}}       | '/apiKeys/keys/a/sha256'
            {redis: {host: r}, apiKeys: {keys: {a-b: {sha256: abc, user: b}}}}     | '/apiKeys/keys'
            {redis: {host: r}, trustedProxies: [10.0.0.0/99]}                      | '/trustedProxies/0'
            {redis: {host: r}, identityProxies: [10.0.0.1, proxy]}                 | '/identityProxies/1'
            {redis: {host: r}, networkPolicy: {from: [{ipBlock: {cidr: 10.0.0.0/33}}]}} | '/networkPolicy/from/0/ipBlock/cidr'
            {redis: {host: r}, networkPolicy: {egress: {redisTo: [{ipBlock: {cidr: 10.0.0.1}}]}}} | '/networkPolicy/egress/redisTo/0/ipBlock/cidr'
            {redis: {host: r}, networkPolicy: {egress: {extra: [{to: [{ipBlock: {cidr: 'fd00::/129'}}]}]}}} | '/networkPolicy/egress/extra/0/to/0/ipBlock/cidr'
            {redis: {host: r}, service: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/99]}} | '/service/loadBalancerSourceRanges/0'
            {redis: {host: r}, service: {loadBalancerSourceRanges: [10.0.0.0/8]}}  | service.type=LoadBalancer
            {redis: {host: r}, service: {loadBalancerClass: outer}}                | service.type=LoadBalancer
            {redis: {host: r}, httpRoute: {enabled: true}}                         | httpRoute.parentRefs
            {redis: {host: r}, dnsPolicy: None}                                    | dnsConfig.nameservers
            {redis: {host: r}, sidecars: [{name: a}]}                              | '/sidecars/0'
            {redis: {host: r}, upstream: {url: app}}                               | '/upstream/url'
            {redis: {host: r}, grpc: {port: 70000}}                                | '/grpc/port'
            {redis: {host: r}, networkPolicy: {grpcFrom: [{ipBlock: {cidr: 10.0.0.1}}]}} | '/networkPolicy/grpcFrom/0/ipBlock/cidr'
            {redis: {host: r}, check: {rate: often}}                               | '/check/rate'
            {redis: {host: r}, check: {open: maybe}}                               | '/check/open'
            {redis: {host: r}, image: {tag: 1.0}}                                  | '/image/tag'
            {redis: {host: r}, podDisruptionBudget: {maxUnavailable: half}}        | '/podDisruptionBudget/maxUnavailable'
            {redis: {host: r, password: p}, valkey: {enabled: true}}               | brings a Valkey of its own
            {redis: {existingSecret: s, existingSecretKey: ''}, valkey: {enabled: true}} | redis.existingSecretKey
            {redis: {enabled: false}, valkey: {enabled: true}}                     | valkey.enabled needs redis.enabled
            {redis: {existingSecret: s, hosts: ['redis://r']}}                     | redis.existingSecretHostsKey
            {redis: {host: r}, autoscaling: {enabled: true, minReplicas: 20}}      | autoscaling.minReplicas
            {redis: {host: r}, rowsFrom: {secret: s}, rows: {default: 1/s}}        | rows or rowsFrom
            {redis: {host: r}, rowsFrom: {secret: s, configMap: c}}                | rowsFrom.configMap or rowsFrom.secret
            {redis: {host: r}, terminationGracePeriodSeconds: 25}                  | terminationGracePeriodSeconds
            {redis: {hosts: ['redis://r']}, networkPolicy: {egress: {enabled: true}}} | networkPolicy.egress.redisTo
            """)
    void invalidValuesAreRejected(String values, String message) {
        var complete = values.equals("{}")
                ? WITHOUT_ADMIN_TOKEN
                : values.replaceFirst("}$", ", " + WITHOUT_ADMIN_TOKEN.substring(1));
        assertThatThrownBy(() -> HelmChart.render(complete)).hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({"10/minute, true", "100/5m, true", "20/30s, true", "2/minute;20/day, true", "10 / minute ; 5/2 hours, true",
            "unlimited, true", "blocked, true", "1000000000/31d, true", "5/secs, true", "10/fortnight, false",
            "0/minute, false",
            "10, false", "10/, false", "/minute, false", "5/hs, false", "1/s;, false", "often, false"})
    void schemaAcceptsTheRatesOfTheProgram(String rate, boolean allowed) {
        boolean parsed;
        try {
            Rate.parse(rate);
            parsed = true;
        } catch (IllegalArgumentException e) {
            parsed = false;
        }
        assertThat(parsed).isEqualTo(allowed);
        var pattern = HelmChart.readFile("values.schema.json").at("/definitions/rate/pattern").asText();
        assertThat(rate.matches(pattern)).isEqualTo(allowed);
    }
}
