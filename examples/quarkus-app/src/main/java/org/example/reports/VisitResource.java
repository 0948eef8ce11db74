package org.example.reports;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;

import io.quarkus.redis.datasource.ReactiveRedisDataSource;
import io.smallrye.mutiny.Uni;

/** Uses the application's own Redis client. */
@Path("/visits")
public class VisitResource {

    private final ReactiveRedisDataSource redis;

    VisitResource(ReactiveRedisDataSource redis) {
        this.redis = redis;
    }

    @GET
    public Uni<Long> count() {
        return redis.value(Long.class).incr("visits");
    }
}
