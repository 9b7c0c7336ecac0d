#include "validation/import/import.hpp"

#include <catch2/catch.hpp>

#include "tests/validation/import/reports.hpp"

using namespace tilewright;
using namespace tilewright::test;

TEST_CASE("kernels of a trace join their operators, and equal calls become the median of one row") {
  const Imported imported = import_text("trace.json", trace_text);
  // mm: calls of 10 + 2 us (two kernels) and 14 us: median 13; p5 and p95 interpolate between 12 and 14.
  REQUIRE(
      imported.tables.at("gemm.csv") ==
      "device,dtype,op,batch,m,n,k,layout,epilogue,latency_us,power_w,kernel,grid,timing,flag,source,samples,p5_us,p95_"
      "us\n"
      "A100-SXM4-80GB,bf16,linear,1,64,16,32,TN,none,13,,s16816gemm,,profiler_kernel,,torch.profiler,2,12.1,13.9\n");
  REQUIRE(imported.rows.at("gemm") == 1);
  REQUIRE(imported.tables.at("vector.csv")
              .find("A100-SXM4-80GB,fp32,relu,4,1000,1,3.5,profiler_kernel,,torch.profiler,1,3.5,3.5\n") !=
          std::string::npos);
  REQUIRE(imported.tables.at("devices.csv").find("\nA100-SXM4-80GB,GA100") != std::string::npos);
  REQUIRE(imported.tables.at("devices.csv").find("\nT4,") == std::string::npos);
  REQUIRE(imported.left.size() ==
          3);  // longest first: the unknown operator, the kernel without id, the one whose operator is lost
  REQUIRE(imported.left[0].kernel == "embedding_kernel");
  REQUIRE(imported.left[0].reason == "no table for the operator 'aten::embedding'");
  REQUIRE(imported.left[1].reason.find("External id") != std::string::npos);
  REQUIRE(imported.left[2].reason.find("not in the trace") != std::string::npos);
}

TEST_CASE("a named device wins over the trace's, and notes say what was assumed") {
  ImportRequest request;
  request.device = "T4";
  const Imported imported = import_text("trace.json", trace_text, request);
  REQUIRE(imported.tables.at("gemm.csv").find("\nT4,bf16") != std::string::npos);
  REQUIRE(imported.notes.empty());  // the strides were recorded
}

TEST_CASE("a trace that is one list of events, in the spelling of older versions, is read as well") {
  const std::string old =
      R"([{"ph":"X","cat":"Kernel","name":"volta_sgemm","ts":1,"dur":5,"args":{"device":0,"external id":3}},
          {"ph":"X","cat":"Operator","name":"aten::mm","ts":0,"dur":9,"args":{"External id":3,"Input dims":[[4,8],[8,2]],"Input type":["float","float"]}}])";
  ImportRequest request;
  request.device = "V100-SXM2-16GB";
  const Imported imported = import_text("old.json", old, request);
  REQUIRE(imported.tables.at("gemm.csv").find("V100-SXM2-16GB,fp32,linear,1,4,2,8,TN,none,5,,volta_sgemm") !=
          std::string::npos);
  REQUIRE(imported.notes.size() == 1);  // the layout is assumed
}

TEST_CASE("Nsight Compute: details page with ranges, thousands separators and changing units") {
  ImportRequest request;
  request.device = "L4";
  const Imported imported = import_text("ncu.csv", ncu_details, request);
  // 1,234.5 us and 2.5 ms
  REQUIRE(imported.tables.at("gemm.csv")
              .find("L4,fp16,linear,1,64,16,32,TN,none,1234.5,,ampere_h16816gemm,,ncu_kernel,,ncu,1") !=
          std::string::npos);
  REQUIRE(imported.left.size() == 1);
  REQUIRE(imported.left[0].kernel == "vectorized_elementwise_kernel<4, float>");
  REQUIRE(imported.left[0].total_us == 2500);
  REQUIRE(imported.left[0].reason.find("emit_nvtx") != std::string::npos);
}

TEST_CASE("Nsight Compute: raw page with its row of units") {
  ImportRequest request;
  request.device = "L4";
  const Imported imported = import_text(
      "raw.csv",
      "\"ID\",\"Process ID\",\"Kernel Name\",\"thread "
      "Domain:Push/Pop_Range:PL_Type\",\"gpu__time_duration.sum\",\"sm__cycles\"\n"
      "\"\",\"\",\"\",\"\",\"nsecond\",\"cycle\"\n"
      "\"0\",\"7\",\"ampere_sgemm_128x64\",\"aten::mm, op_id = 1, sizes = [[4, 8], [8, 2]]\",\"5,120\",\"1\"\n",
      request);
  REQUIRE(imported.tables.at("gemm.csv").find("L4,fp32,linear,1,4,2,8,TN,none,5.12,") != std::string::npos);
}

TEST_CASE("Nsight Systems: a summary has no extents, ranges have; kernels of one range add up") {
  ImportRequest request;
  request.device = "L4";
  const Imported summary =
      import_text("sum.csv",
                  "Processing [a.sqlite] with [gpukernsum.py]...\n\n"
                  "Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name\n"
                  "90.0,9000,3,3000.0,3000.0,2900,3100,50.0,\"void gemm<float, 3>(int)\"\n",
                  request);
  REQUIRE(summary.rows.empty());
  REQUIRE(summary.left.size() == 1);
  REQUIRE(summary.left[0].kernel == "void gemm<float, 3>(int)");
  REQUIRE(summary.left[0].launches == 3);
  REQUIRE(summary.left[0].total_us == 9);

  const Imported ranges = import_text("nvtx.csv",
                                      "NVTX Range,Style,PID,TID,NVTX Inst,Kern Inst,Total Time (ns),Avg (ns),Med "
                                      "(ns),Min (ns),Max (ns),StdDev (ns),Kernel Name\n"
                                      "\":aten::mm, seq = 1, sizes = [[64, 512], [512, "
                                      "16]]\",PushPop,1,1,2,2,20000,10000,10000,9000,11000,5,ampere_sgemm_32x128_tn\n"
                                      "\":aten::mm, seq = 1, sizes = [[64, 512], [512, "
                                      "16]]\",PushPop,1,1,2,2,4000,2000,2000,1900,2100,5,splitKreduce_kernel\n",
                                      request);
  // two calls: 20000 / 2 + 4000 / 2 ns
  REQUIRE(ranges.tables.at("gemm.csv").find("L4,fp32,linear,1,64,16,512,TN,none,12,,ampere_sgemm_32x128_tn") !=
          std::string::npos);
  REQUIRE(ranges.left.empty());
}

TEST_CASE("Nsight Compute: rows of metrics end before the columns of rules; kernels of one range add up") {
  ImportRequest request;
  request.device = "L4";
  const std::string range = "\"7 \"\"<default domain>:aten::mm, op_id = 3, sizes = [[4, 8], [8, 2]]:none\"\"\"";
  const Imported imported = import_text("rules.csv",
                                        "\"ID\",\"thread Domain:Push/Pop_Range:PL_Type\",\"Kernel Name\",\"Metric "
                                        "Name\",\"Metric Unit\",\"Metric Value\",\"Rule Name\",\"Rule "
                                        "Type\",\"Estimated Speedup\"\n"
                                        "\"0\"," +
                                            range +
                                            ",\"sgemm_split\",\"Duration\",\"us\",\"5\",\"\"\n"
                                            "\"0\"," +
                                            range +
                                            ",\"sgemm_split\",\"\",\"\",\"\",\"Bottleneck\",\"OPT\",\"10\"\n"
                                            "\"1\"," +
                                            range + ",\"splitKreduce\",\"Duration\",\"us\",\"1.5\",\"\"\n",
                                        request);
  REQUIRE(imported.tables.at("gemm.csv").find("L4,fp32,linear,1,4,2,8,TN,none,6.5,") != std::string::npos);
  REQUIRE(imported.rows.at("gemm") == 1);
}

TEST_CASE("a backward convolution with a kernel of unknown pass gives no row, one of a single gradient all its time") {
  const auto trace = [](const std::string& mask, const std::string& second) {
    return R"({"deviceProperties": [{"id": 0, "name": "NVIDIA L4"}], "traceEvents": [
  {"ph": "X", "cat": "cpu_op", "name": "aten::convolution_backward", "args": {"External id": 5, "Input Dims": [[8, 16, 14, 14], [8, 4, 14, 14], [16, 4, 3, 3]],
   "Input type": ["float", "float", "float"], "Concrete Inputs": ["", "", "", "[0]", "[1, 1]", "[1, 1]", "[1, 1]", "False", "[0, 0]", "1", ")" +
           mask + R"("]}},
  {"ph": "X", "cat": "kernel", "name": "sm80_dgrad_kernel", "dur": 10, "args": {"device": 0, "External id": 5}},
  {"ph": "X", "cat": "kernel", "name": ")" +
           second + R"(", "dur": 4, "args": {"device": 0, "External id": 5}}]})";
  };
  const Imported both = import_text("both.json", trace("[True, True, False]", "sm80_wgrad_kernel"));
  CHECK(both.rows.at("conv") == 2);
  const Imported unknown = import_text("unknown.json", trace("[True, True, False]", "nvjet_sm90_hss"));
  CHECK_FALSE(unknown.rows.contains("conv"));
  REQUIRE(unknown.left.size() == 1);
  CHECK(unknown.left[0].total_us == 14);
  const Imported single = import_text("single.json", trace("[True, False, False]", "nchwToNhwcKernel"));
  CHECK(single.rows.at("conv") == 1);
  CHECK(single.tables.at("conv.csv").find(",14,") != std::string::npos);
  CHECK(single.tables.at("conv.csv").find(",NCHW,14,") != std::string::npos);
}
