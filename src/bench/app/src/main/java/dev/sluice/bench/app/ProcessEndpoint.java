package dev.sluice.bench.app;

import java.lang.management.ManagementFactory;
import java.util.Arrays;

import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;

import dev.sluice.api.Rate;
import dev.sluice.http.ServiceEndpoint;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;

/** Resource usage of this process, and decisions made inside it, without HTTP. */
@Path("/process")
@ServiceEndpoint
public class ProcessEndpoint {

    @Inject
    DecisionLoad decisions;

    /** Returns the bytes that the live threads have allocated so far. */
    @GET
    @Path("allocated")
    @NonBlocking
    public long allocated() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadAllocatedBytes(threads.getAllThreadIds())).filter(bytes -> bytes > 0).sum();
    }

    /** Returns the CPU time of this process so far, in nanoseconds. */
    @GET
    @Path("cpu")
    @NonBlocking
    public long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    /**
     * Makes decisions until the duration or the maximum number is reached.
     *
     * @param name prefix of the identities {@code <name>0}, {@code <name>1}, …
     * @param chain whether a decision concerns a user, the user's key, team and organisation
     * @return decisions per second, allowed, denied, not decided by Redis
     */
    @GET
    @Path("decide")
    public Uni<String> decide(@QueryParam("name") String name, @QueryParam("identities") int identities,
            @QueryParam("rate") String rate, @QueryParam("chain") boolean chain, @QueryParam("outstanding") int outstanding,
            @QueryParam("millis") long millis, @QueryParam("most") long most) {
        return decisions.run(name, identities, Rate.parse(rate), chain, outstanding, millis, most);
    }
}
