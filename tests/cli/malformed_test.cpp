// Malformed input: exit code 2, a message with the place and the way out, never a crash.
#include <catch2/catch.hpp>

#include "tests/cli/program.hpp"

using tilewright::test::Outcome;
using tilewright::test::Scratch;
using tilewright::test::slurp;

namespace {

const std::string good_chip = R"(name: tiny
family: systolic
summary: a small array
source: example
technology_nm: 45
clock: 500 MHz
energy_table: horowitz-2014
compute: {rows: 16, cols: 16, dataflow: weight_stationary, precisions: {int8: 1, fp16: 0.5}}
levels:
  - {name: DRAM, bandwidth: 12.8 GB/s, read_energy: {value: 1300 pJ, per: 64 bit, source: "Horowitz, ISSCC 2014"}}
  - {name: Buffer, capacity: 256 KiB, bandwidth: 64 B/cycle, double_buffered: true, keeps: [inputs, weights, outputs]}
power: {static: 0.2 W, tdp: 2 W}
area: {value: 4 mm2}
price: {value: 20 USD}
)";

const std::string good_case = R"(problem:
  dims: {M: 4, N: 6, K: 8}
  operands:
    - {name: A, role: input, type: int8, axes: [M, K]}
    - {name: B, role: weight, type: int8, axes: [K, N]}
    - {name: Z, role: output, type: int32, axes: [M, N]}
chip: eyeriss
mapping:
)";

const std::string gpu_without_l2 = R"(name: two-levels
family: gpu
source: example
technology_nm: 7
clock: 1 GHz
energy_table: jouppi-2021
compute:
  {sms: 4, cuda_cores_per_sm: 64, precisions: {fp32: 64}}
levels:
  - {name: DRAM, bandwidth: 100 GB/s, dram: hbm2}
  - {name: SM, capacity: 256 KiB, instances: 4}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Bad {
  std::string arguments;  // %f stands for the file
  std::string name, bytes;
  std::string says;  // a part of the message
};

void require_refused(const Scratch& scratch, const Bad& bad) {
  std::string arguments = bad.arguments;
  if (!bad.name.empty()) {
    const std::string path = scratch.file(bad.name, bad.bytes);
    for (std::size_t at = arguments.find("%f"); at != std::string::npos; at = arguments.find("%f"))
      arguments.replace(at, 2, "'" + path + "'");
  }
  const Outcome outcome = tilewright::test::tilewright(arguments);
  INFO(arguments << "\n" << outcome.out << outcome.err);
  CHECK(outcome.code == 2);
  CHECK((outcome.err + outcome.out).find(bad.says) != std::string::npos);
  CHECK(outcome.err.find("internal error") == std::string::npos);
}

}  // namespace

TEST_CASE("the good chip file that the bad ones are made from is accepted") {
  const Scratch scratch;
  REQUIRE(tilewright::test::tilewright("check " + scratch.file("tiny.yaml", good_chip)).code == 0);
}

TEST_CASE("malformed chip files are refused with file, key and the way out") {
  const Scratch scratch;
  const std::string check = "check %f";
  const std::vector<Bad> cases{
      {check, "empty.yaml", "", "empty.yaml"},
      {check, "spaces.yaml", "   \n\n", "spaces.yaml"},
      {check, "list.yaml", "- a\n- b\n", "list.yaml"},
      {check, "scalar.yaml", "hello\n", "scalar.yaml"},
      {check, "syntax.yaml", "name: [unclosed\n", "syntax.yaml"},
      {check, "tab.yaml", "name: x\n\tfamily: cpu\n", "tab.yaml"},
      {check, "binary.yaml", std::string("\x00\x01\x02\xff\xfe", 5), "binary.yaml"},
      {check, "key.yaml", replaced(good_chip, "bandwidth: 64 B", "bandwith: 64 B"), "bandwidth"},
      {check, "top.yaml", good_chip + "clok: 3 MHz\n", "clok"},
      {check, "unit.yaml", replaced(good_chip, "500 MHz", "500"), "clock"},
      {check, "wrongunit.yaml", replaced(good_chip, "500 MHz", "500 KiB"), "clock"},
      {check, "zero.yaml", replaced(good_chip, "capacity: 256 KiB", "capacity: 0 KiB"), "capacity"},
      {check, "negative.yaml", replaced(good_chip, "capacity: 256 KiB", "capacity: -1 KiB"), "capacity"},
      {check, "nan.yaml", replaced(good_chip, "12.8 GB/s", ".nan GB/s"), "bandwidth"},
      {check, "inf.yaml", replaced(good_chip, "12.8 GB/s", "inf GB/s"), "bandwidth"},
      {check, "huge.yaml", replaced(good_chip, "12.8 GB/s", "1e400 GB/s"), "bandwidth"},
      {check, "rows0.yaml", replaced(good_chip, "rows: 16", "rows: 0"), "rows"},
      {check, "rows62.yaml", replaced(good_chip, "rows: 16", "rows: 4611686018427387904"), "rows"},
      {check, "rowsword.yaml", replaced(good_chip, "rows: 16", "rows: sixteen"), "rows"},
      {check, "rowsreal.yaml", replaced(good_chip, "rows: 16", "rows: 16.5"), "rows"},
      {check, "dataflow.yaml", replaced(good_chip, "weight_stationary", "ws-stationary"), "weight_stationary"},
      {check, "family.yaml", replaced(good_chip, "family: systolic", "family: sistolic"), "systolic"},
      {check, "table.yaml", replaced(good_chip, "horowitz-2014", "horowitz-2015"), "horowitz-2014"},
      {check, "precision.yaml", replaced(good_chip, "int8: 1,", "int9: 1,"), "int8"},
      {check, "keeps.yaml", replaced(good_chip, "keeps: [inputs, weights, outputs]", "keeps: []"), "keeps"},
      {check, "keepsword.yaml", replaced(good_chip, "keeps: [inputs,", "keeps: [imputs,"), "inputs"},
      {check, "duplicate.yaml", good_chip + "name: again\n", "name"},
      {check, "noname.yaml", replaced(good_chip, "name: tiny\n", ""), "name"},
      {check, "nolevels.yaml", good_chip.substr(0, good_chip.find("levels:")), "levels"},
      {check, "levelmap.yaml", replaced(good_chip, "levels:\n", "levels: 3\nlevels_:\n"), "levels"},
      {check, "bool.yaml", replaced(good_chip, "double_buffered: true", "double_buffered: maybe"), "double_buffered"},
      {check, "l2.yaml", gpu_without_l2, "l2.yaml:8: compute: a GPU has at least three levels"},
      {check, "per.yaml", replaced(good_chip, "per: 64 bit", "per: 0 bit"), "per"},
      {"check /nonexistent/chip.yaml", "", "", "/nonexistent/chip.yaml"},
      {"check .", "", "", "."},
      {"show chip tpu-v9", "", "", "tpu-v1"},
      {"run resnet18 --chip %f", "bad.yaml", "family: cpu\n", "bad.yaml"},
  };
  for (const Bad& bad : cases) require_refused(scratch, bad);
}

TEST_CASE("malformed workloads are refused with the file and what is wrong in it") {
  const Scratch scratch;
  const std::string onnx = slurp(TILEWRIGHT_SOURCE_DIR "/workloads/models/resnet18.onnx");
  const std::string show = "show workload %f";
  std::string flipped = onnx;
  for (std::size_t i = 100; i < flipped.size(); i += 97) flipped[i] = static_cast<char>(flipped[i] ^ 0x5a);
  const std::vector<Bad> cases{
      {show, "empty.onnx", "", "empty.onnx"},
      {show, "truncated.onnx", onnx.substr(0, onnx.size() / 2), "truncated.onnx"},
      {show, "random.onnx", std::string("\x93\x11\x87 not a protobuf \xff\xff\xff", 22), "random.onnx"},
      {show, "flipped.onnx", flipped, "flipped.onnx"},
      {show, "text.onnx", "hello, world\n", "text.onnx"},
      {"show workload /nonexistent/model.onnx", "", "", "/nonexistent/model.onnx"},
      {"show workload workloads/models", "", "", "workloads/models"},
      {"show workload model.txt", "", "", "model.txt"},
      {"show workload resnet5", "", "", "resnet50"},
      {"show workload resnet50:bach=2", "", "", "batch"},
      {"show workload resnet50:batch=0", "", "", "batch"},
      {"show workload resnet50:batch=-3", "", "", "batch"},
      {"show workload resnet50:batch=two", "", "", "batch"},
      {"show workload resnet50:batch=1,batch=2", "", "", "batch"},
      {"show workload resnet50:", "", "", "resnet50"},
      {"show workload gemm:m=4611686018427387904,n=8,k=8", "", "", "gemm"},
      {"show workload gemm:m=99999999999999999999,n=8,k=8", "", "", "m"},
      {"show workload gemm:m=4294967296,n=4294967296,k=4294967296", "", "", ""},
      {"show workload llama-7b:phase=prefil", "", "", "prefill"},
      {show, "empty.csv", "", "empty.csv"},
      {show, "header.csv", "Layer name, IFMAP Height\n", "header.csv"},
      {show, "cells.csv", "Layer,M,N,K,\nA,1,2\n", "cells.csv"},
      {show, "word.csv", "Layer,M,N,K,\nA,1,two,3,\n", "word.csv:2"},
      {show, "zero.csv", "Layer,M,N,K,\nA,0,2,3,\n", "zero.csv:2"},
      {show, "big.csv", "Layer,M,N,K,\nA,4611686018427387904,4611686018427387904,3,\n", "big.csv"},
  };
  for (const Bad& bad : cases) require_refused(scratch, bad);
}

TEST_CASE("malformed case files are refused") {
  const Scratch scratch;
  const std::string evaluate = "evaluate %f";
  const std::vector<Bad> cases{
      {evaluate, "empty.yaml", "", "empty.yaml"},
      {evaluate, "nomapping.yaml", good_case, "mapping"},
      {evaluate, "level.yaml", good_case + "  - {level: DRUM, loops: [\"M=4\"]}\n", "DRAM"},
      {evaluate, "dim.yaml", good_case + "  - {level: DRAM, loops: [\"X=4\"]}\n", "X"},
      {evaluate, "loop.yaml", good_case + "  - {level: DRAM, loops: [\"M*4\"]}\n", "M*4"},
      {evaluate, "bound0.yaml", good_case + "  - {level: DRAM, loops: [\"M=0\"]}\n", "loops[0]"},
      {evaluate, "axis.yaml",
       replaced(good_case, "axes: [M, K]", "axes: [M, \"2*Q\"]") + "  - {level: DRAM, loops: []}\n", "Q"},
      {evaluate, "dim62.yaml", replaced(good_case, "M: 4", "M: 4611686018427387905") + "  - {level: DRAM, loops: []}\n",
       "dim62.yaml"},
      {evaluate, "noout.yaml", replaced(good_case, "role: output", "role: input") + "  - {level: DRAM, loops: []}\n",
       "output"},
      {evaluate, "type.yaml", replaced(good_case, "type: int8", "type: int7") + "  - {level: DRAM, loops: []}\n",
       "int8"},
      {evaluate, "chip.yaml", replaced(good_case, "chip: eyeriss", "chip: eyeris") + "  - {level: DRAM, loops: []}\n",
       "eyeriss"},
      {"evaluate /nonexistent.yaml", "", "", "/nonexistent.yaml"},
      {"evaluate arch_models", "", "", "arch_models"},
  };
  for (const Bad& bad : cases) require_refused(scratch, bad);
}

TEST_CASE("malformed reference cases are refused with file, line and key") {
  const Scratch scratch;
  const std::string validate = "validate mapping --data %f";
  const std::vector<Bad> cases{
      {validate, "empty.json", "", "empty.json"},
      {validate, "text.json", "hello", "text.json"},
      {validate, "cut.json", "{\"format\": 1, \"cases\": [", "cut.json:1"},
      {validate, "none.json", "{\"format\": 1,\n \"cases\": []}", "none.json:2: cases: no cases"},
      {validate, "key.json", "{\"format\": 1, \"cases\": [\n{\"id\": \"a\", \"problemx\": {}}]}",
       "key.json:2: cases[0].problem: the key 'problem' is missing. Is it meant by 'problemx'?"},
      {validate, "format.json", "{\"format\": 9, \"cases\": []}", "format.json:1: format"},
      {"validate mapping --data /nonexistent.json", "", "", "/nonexistent.json"},
      {"validate mappin", "", "", "Did you mean 'mapping'?"},
      {"validate mapping --format csv", "", "", "json"},
      {"validate", "", "", "suite"},
  };
  for (const Bad& bad : cases) require_refused(scratch, bad);
}

TEST_CASE("bad usage names the nearest command, option or value") {
  const Scratch scratch;
  const std::vector<Bad> cases{
      {"", "", "", "subcommand"},
      {"rum resnet50", "", "", "run"},
      {"run resnet50", "", "", "chip"},
      {"run --chip tpu-v1", "", "", "workload"},
      {"run resnet50 --chipp tpu-v1", "", "", "--chip"},
      {"run resnet50 --chip tpu-v1 --objective speed", "", "", "latency"},
      {"run resnet50 --chip tpu-v1 --engine verilog", "", "", "analytical"},
      {"run resnet50 --chip tpu-v1 --trace t.json", "", "", "--engine systemc"},
      {"run resnet50 --chip tpu-v1 --format xml", "", "", "json"},
      {"run resnet50 --chip tpu-v1 --precision fp61", "", "", "fp16"},
      {"run resnet50 --chip tpu-v1 --batch 0", "", "", "batch"},
      {"run resnet50 --chip tpu-v1 --batch many", "", "", "batch"},
      {"run resnet50 --chip tpu-v1 --set N", "", "", "DIM=VALUE"},
      {"run resnet50 --chip tpu-v1 --set N=3", "", "", "resnet50:batch=8"},
      {"run resnet50 --chip tpu-v1,tpu-v1", "", "", "twice"},
      {"run resnet50 --chip tpu-v1 --set N=0", "", "", "N=0"},
      {"run resnet50 --chip tpu-v1 --set N=1 N=2", "", "", "twice"},
      {"run resnet50 --chip tpu-v1 --fuse all", "", "", "attention"},
      {"run resnet50 --chip tpu-v1 --jobs 0", "", "", "jobs"},
      {"run resnet18:batch=2 --batch 4 --chip tpu-v1", "", "",
       "'resnet18:batch=2' has batch 2, but batch 4 is asked for"},
      {"run resnet18:batch=1 --batch 4 --chip tpu-v1", "", "",
       "'resnet18:batch=1' has batch 1, but batch 4 is asked for"},
      {"run conv2d:n=2 --batch 4 --chip tpu-v1", "", "", "'conv2d:n=2' has batch 2, but batch 4 is asked for"},
      {"map resnet50 --chip tpu-v1 --factors imperfct", "", "", "Did you mean 'imperfect'?"},
      {"map resnet50 --chip tpu-v1 --bypass open", "", "", "known: fixed, free"},
      {"map gemm --chip tpu-v1,eyeriss --format yaml", "", "", "exactly one chip"},
      {"run resnet50 --chip tpu-v1 -o /nonexistent/folder/report.txt", "", "", "/nonexistent/folder"},
      {"roofline resnet18 --chip tpu-v1,eyeriss", "", "", "one chip"},
      {"map resnet18 --chip tpu-v1", "", "", "--layer"},
      {"list planets", "", "", "chips"},
      {"show planet earth", "", "", "chip"},
      {"completion tcsh", "", "", "bash"},
      {"check", "", "", "files"},
  };
  for (const Bad& bad : cases) require_refused(scratch, bad);
}
