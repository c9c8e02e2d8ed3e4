package skipgram;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.beam.model.jobmanagement.v1.JobApi;
import org.apache.beam.model.jobmanagement.v1.JobApi.JobState;
import org.apache.beam.model.pipeline.v1.RunnerApi;
import org.apache.beam.runners.flink.FlinkBatchPortablePipelineTranslator;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.runners.fnexecution.provisioning.JobInfo;
import org.apache.beam.sdk.util.construction.PipelineOptionsTranslation;
import org.apache.beam.vendor.grpc.v1p69p0.com.google.protobuf.Struct;
import org.apache.beam.vendor.grpc.v1p69p0.com.google.protobuf.util.Timestamps;
import org.apache.beam.vendor.guava.v32_1_2_jre.com.google.common.base.Throwables;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pipeline, how it is run by Flink, and what has been said of it so far. */
final class Job {
  private static final Logger LOG = LoggerFactory.getLogger(Job.class);

  private final String id;
  private final RunnerApi.Pipeline pipeline;
  private final Struct options;
  private final List<JobApi.JobMessagesResponse> events = new ArrayList<>();
  private JobApi.JobStateEvent state;

  Job(String id, RunnerApi.Pipeline pipeline, Struct options) {
    this.id = id;
    this.pipeline = pipeline;
    this.options = options;
    enter(JobState.Enum.STARTING);
  }

  /**
   * Runs the pipeline to its end, good or bad, which is the last event.
   *
   * @param configuration the folder of flink-conf.yaml
   */
  void run(String configuration) {
    enter(JobState.Enum.RUNNING);
    try {
      execute(configuration);
    } catch (Throwable error) { // whatever it was, the client must not wait for ever
      LOG.error("{} failed", id, error);
      say(Throwables.getStackTraceAsString(Throwables.getRootCause(error)));
      enter(JobState.Enum.FAILED);
      return;
    }
    enter(JobState.Enum.DONE);
  }

  private void execute(String configuration) throws Exception {
    FlinkPipelineOptions flink =
        PipelineOptionsTranslation.fromProto(options).as(FlinkPipelineOptions.class);
    flink.setFlinkMaster("[local]");
    flink.setRunner(null); // the client's, which means nothing here
    JobInfo info =
        JobInfo.create(id, flink.getJobName(), "", PipelineOptionsTranslation.toProto(flink));
    FlinkBatchPortablePipelineTranslator translator =
        FlinkBatchPortablePipelineTranslator.createTranslator();
    translator
        .translate(
            translator.createTranslationContext(info, flink, configuration, List.of()),
            translator.prepareForTranslation(pipeline))
        .execute(flink.getJobName());
  }

  private synchronized void enter(JobState.Enum next) {
    LOG.info("{} is {}", id, next);
    state =
        JobApi.JobStateEvent.newBuilder()
            .setState(next)
            .setTimestamp(Timestamps.fromMillis(System.currentTimeMillis()))
            .build();
    events.add(JobApi.JobMessagesResponse.newBuilder().setStateResponse(state).build());
    notifyAll();
  }

  private synchronized void say(String error) {
    events.add(
        JobApi.JobMessagesResponse.newBuilder()
            .setMessageResponse(
                JobApi.JobMessage.newBuilder()
                    .setMessageId(Integer.toString(events.size()))
                    .setImportance(JobApi.JobMessage.MessageImportance.JOB_MESSAGE_ERROR)
                    .setMessageText(error))
            .build());
    notifyAll();
  }

  synchronized JobApi.JobStateEvent state() {
    return state;
  }

  /** Passes on each event of the past and of the future, until the last one. */
  void forEachEvent(Consumer<JobApi.JobMessagesResponse> consumer) throws InterruptedException {
    for (int number = 0; ; number++) {
      JobApi.JobMessagesResponse event = event(number);
      if (event == null) {
        return;
      }
      consumer.accept(event);
    }
  }

  /** Waits for an event; null if there will be none. */
  private synchronized JobApi.JobMessagesResponse event(int number) throws InterruptedException {
    while (number >= events.size()) {
      if (ended()) {
        return null;
      }
      wait();
    }
    return events.get(number);
  }

  private boolean ended() {
    return state.getState() == JobState.Enum.DONE || state.getState() == JobState.Enum.FAILED;
  }
}
