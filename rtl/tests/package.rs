//! The folder around the Verilog: scripts run against a stand-in for Vivado, descriptions read back, test benches and host
//! program run on a stand-in core. What Vivado and Vitis themselves say is not shown here.

#[path = "package/bus.rs"]
mod bus;
#[path = "package/folder.rs"]
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use folder::{Bench, Folder, machine, tcl_words};
use hw_config::machine::Machine;
use hw_config::resources::Resource;

/// What a register map says: name, byte offset, bits, interface of an address.
type Row = (String, u64, u64, Option<String>);

/// The map that Vitis and docs/src/export.md ask for, stated a second time.
fn expected_map(machine: &Machine) -> Vec<Row> {
    let row = |name: &str, offset, bits, interface: Option<&str>| {
        (name.to_owned(), offset, bits, interface.map(str::to_owned))
    };
    let mut rows = vec![
        row("CTRL", 0x00, 32, None),
        row("GIER", 0x04, 32, None),
        row("IP_IER", 0x08, 32, None),
        row("IP_ISR", 0x0c, 32, None),
    ];
    let cores = u64::from(machine.core.count);
    for core in 0..cores {
        let k = if cores > 1 { core.to_string() } else { String::new() };
        let interface = format!("m_axi_instructions{k}");
        rows.push(row(&format!("instructions{k}"), 0x10 + 24 * core, 64, Some(&interface)));
        rows.push(row(&format!("instruction_count{k}"), 0x1c + 24 * core, 32, None));
    }
    for channel in 0..cores * u64::from(machine.memory.channels) {
        let interface = format!("m_axi_gmem{channel}");
        let offset = 0x10 + 24 * cores + 12 * channel;
        rows.push(row(&format!("memory_{channel}"), offset, 64, Some(&interface)));
    }
    rows
}

/// Runs a script of a folder under the stand-in for Vivado: each call as its words.
fn vivado(folder: &Folder, script: &str, arguments: &[&str]) -> Vec<Vec<String>> {
    let mock = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package/vivado_mock.tcl");
    let output = Command::new("tclsh").arg(mock).arg(folder.path.join(script)).args(arguments).output();
    let output = output.expect("tclsh, from the Debian package tcl");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(tcl_words).collect()
}

fn number(text: &str) -> u64 {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The register map that the packaging script gives the IP.
fn packaged_map(calls: &[Vec<String>]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for call in calls {
        let words: Vec<&str> = call.iter().map(String::as_str).collect();
        match words[..] {
            ["ipx::add_register", name, "block:reg0"] => rows.push((name.to_owned(), u64::MAX, 0, None)),
            ["set_property", property, value, object] if object.starts_with("register") => {
                let name = object.rsplit(':').next().expect("a handle ends with a name");
                let row = rows.iter_mut().find(|row| row.0 == name).expect("a register that was added");
                match property {
                    "address_offset" => row.1 = number(value),
                    "size" => row.2 = number(value),
                    "value" => row.3 = Some(value.to_owned()),
                    other => panic!("property {other} of {object}"),
                }
            }
            _ => {}
        }
    }
    rows
}

fn position(calls: &[Vec<String>], name: &str) -> usize {
    let at: Vec<usize> = (0..calls.len()).filter(|at| calls[*at][0] == name).collect();
    assert_eq!(at.len(), 1, "{name} is called {} times, expected once", at.len());
    at[0]
}

#[test]
fn packaging_calls_what_vivado_asks_for_in_order() {
    let mut registers = 0;
    for name in ["tiny", "tiny-2core", "u280-1core"] {
        let folder = Folder::write(&machine(name), &format!("xo-{name}"));
        let calls = vivado(&folder, "vitis/gen_xo.tcl", &["build/k.xo"]);
        let order = [
            "create_project",
            "update_compile_order",
            "ipx::package_project",
            "ipx::unload_core",
            "ipx::edit_ip_in_project",
            "ipx::create_xgui_files",
            "ipx::update_checksums",
            "ipx::check_integrity",
            "ipx::save_core",
            "close_project",
            "package_xo",
        ];
        let at: Vec<usize> = order.iter().map(|name| position(&calls, name)).collect();
        assert!(at.is_sorted(), "{order:?} come in the order {at:?}");

        let map: Vec<Row> = expected_map(&folder.machine);
        let mut expected: BTreeSet<String> = map.into_iter().filter_map(|row| row.3).collect();
        expected.insert("s_axi_control".to_owned());
        let associated: Vec<&Vec<String>> = calls.iter().filter(|c| c[0] == "ipx::associate_bus_interfaces").collect();
        for call in &associated {
            assert_eq!(call[1..], ["-busif", call[2].as_str(), "-clock", "ap_clk", "core:kernel"]);
        }
        assert_eq!(associated.len(), expected.len());
        assert_eq!(associated.iter().map(|call| call[2].clone()).collect::<BTreeSet<_>>(), expected);

        let map = packaged_map(&calls);
        assert_eq!(map, expected_map(&folder.machine));
        registers += map.len();
        let sources: BTreeSet<&str> =
            calls.iter().filter(|c| c[0] == "add_files").map(|c| c[2].rsplit('/').next().expect("a path")).collect();
        let written: BTreeSet<&str> =
            folder.files.iter().filter_map(|file| file.path.strip_prefix("rtl/")).filter(|n| *n != "files.f").collect();
        assert_eq!(sources, written);
        let package = &calls[position(&calls, "package_xo")];
        assert!(package.contains(&"ap_ctrl_hs".to_owned()) && package.contains(&folder.kernel()), "{package:?}");
    }
    println!("compared {registers} registers of the packaged IP");
    assert!(registers > 0);
}

#[test]
fn a_wrong_argument_is_refused() {
    let folder = Folder::write(&machine("tiny"), "refusal");
    let mock = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package/vivado_mock.tcl");
    let cases =
        [("vitis/gen_xo.tcl", &[][..], "expected one: the .xo file"), ("vivado/synth_ooc.tcl", &["fast"], "got fast")];
    for (script, arguments, message) in cases {
        let output = Command::new("tclsh").arg(&mock).arg(folder.path.join(script)).args(arguments).output();
        let output = output.expect("tclsh, from the Debian package tcl");
        assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(message), "{script}");
    }
}

#[test]
fn vivado_scripts_read_everything_and_report() {
    let folder = Folder::write(&machine("u280-1core"), "vivado");
    let project = vivado(&folder, "vivado/project.tcl", &[]);
    assert!(project[0].ends_with(&["-part".to_owned(), "xcu280-fsvh2892-2L-e".to_owned()]), "{:?}", project[0]);
    let calls = vivado(&folder, "vivado/synth_ooc.tcl", &["implement", "xcvu37p-fsvh2892-2-e"]);
    let order = ["synth_design", "opt_design", "place_design", "phys_opt_design", "route_design", "report_power"];
    let at: Vec<usize> = order.iter().map(|name| position(&calls, name)).collect();
    assert!(at.is_sorted(), "{order:?} come in the order {at:?}");
    let synthesis = &calls[at[0]];
    assert!(synthesis.windows(2).any(|pair| pair == ["-part", "xcvu37p-fsvh2892-2-e"]), "{synthesis:?}");
    assert!(synthesis.windows(2).any(|pair| pair == ["-mode", "out_of_context"]), "{synthesis:?}");
    let sources = folder.text("rtl/files.f").lines().count();
    let read = calls.iter().filter(|call| call[0] == "read_verilog").count();
    assert_eq!(read, sources);
    // The constraints are Tcl too.
    let clock = vivado(&folder, "vivado/clock.xdc", &[]);
    assert_eq!(clock, [["create_clock", "-name", "kernel_clock", "-period", "4.444", "port:clk_i"]]);
    let slr = folder.machine.resources().slr;
    let place = vivado(&folder, "vivado/pblocks.xdc", &[]);
    assert_eq!(place.len(), 3);
    assert_eq!(place[1], ["resize_pblock", &format!("pblock:pblock_slr{slr}"), "-add", &format!("SLR{slr}")]);
    println!("compared {} calls", project.len() + calls.len() + clock.len() + place.len());
}

#[test]
fn kernel_xml_says_the_same_map() {
    let mut compared = 0;
    for name in ["tiny", "tiny-2core", "tiny-bit-serial", "u280-1core", "u280-lapwing"] {
        let folder = Folder::new(&machine(name));
        let (memory, cores) = (&folder.machine.memory, folder.machine.core.count);
        let text = folder.text("vitis/kernel.xml");
        let document = roxmltree::Document::parse(text).expect("well-formed XML");
        let kernel = document.descendants().find(|node| node.has_tag_name("kernel")).expect("a kernel");
        assert_eq!(kernel.attribute("name"), Some(folder.kernel().as_str()));
        assert_eq!(kernel.attribute("hwControlProtocol"), Some("ap_ctrl_hs"));
        let of = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).expect("an attribute").to_owned();
        let rows: Vec<Row> = document
            .descendants()
            .filter(|node| node.has_tag_name("arg"))
            .enumerate()
            .map(|(id, arg)| {
                assert_eq!(number(&of(arg, "id")), id as u64);
                let is_address = of(arg, "addressQualifier") == "1";
                let port = of(arg, "port");
                let interface = is_address.then(|| port.clone());
                assert!(is_address || port == "s_axi_control");
                (of(arg, "name"), number(&of(arg, "offset")), 8 * number(&of(arg, "size")), interface)
            })
            .collect();
        assert_eq!(rows, expected_map(&folder.machine)[4..]);
        compared += rows.len();
        let widths: BTreeMap<String, u64> = document
            .descendants()
            .filter(|node| node.has_tag_name("port"))
            .map(|port| (of(port, "name"), number(&of(port, "dataWidth"))))
            .collect();
        assert_eq!(widths.len(), (cores * (memory.channels + 1) + 1) as usize);
        assert_eq!(widths["s_axi_control"], 32);
        let fetch = if cores > 1 { "m_axi_instructions1" } else { "m_axi_instructions" };
        assert_eq!(widths[fetch], 8 * u64::from(folder.machine.instructions.port_bytes));
        assert_eq!(widths["m_axi_gmem0"], 8 * u64::from(memory.port_bytes));
    }
    println!("compared {compared} arguments");
    assert!(compared > 0);
}

#[test]
fn link_cfg_has_a_bank_for_each_master() {
    let mut compared = 0;
    for name in ["tiny", "u280-1core"] {
        let folder = Folder::new(&machine(name));
        let instance = format!("{}_1", folder.kernel());
        let text = folder.text("vitis/link.cfg");
        let banks: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("sp=")).collect();
        let mut expected: Vec<String> =
            (0..folder.machine.memory.channels).map(|c| format!("{instance}.m_axi_gmem{c}:HBM[{c}]")).collect();
        expected.push(format!("{instance}.m_axi_instructions:DDR[0]"));
        assert_eq!(banks, expected);
        let slr = folder.machine.resources().slr;
        for line in [
            format!("nk={}:1:{instance}", folder.kernel()),
            format!("slr={instance}:SLR{slr}"),
            format!("kernel_frequency=0:{}", folder.machine.kernel_mhz),
        ] {
            assert_eq!(text.lines().filter(|l| **l == line).count(), 1, "{line}");
        }
        compared += banks.len() + 3;
    }
    println!("compared {compared} lines");
    assert!(compared > 0);
}

/// A kernel in two regions: a bank and an argument for each core's channels, and each core where the machine has it.
#[test]
fn two_cores_are_linked_and_placed_in_their_regions() {
    let folder = Folder::write(&machine("tiny-2core"), "two-cores");
    let instance = "kernel_tiny_2core_1";
    let text = folder.text("vitis/link.cfg");
    let banks: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("sp=")).collect();
    let mut expected: Vec<String> = (0..4).map(|c| format!("{instance}.m_axi_gmem{c}:HBM[{c}]")).collect();
    expected.extend((0..2).map(|k| format!("{instance}.m_axi_instructions{k}:DDR[{k}]")));
    assert_eq!(banks, expected);
    assert!(!text.contains("slr="), "one region for a kernel in two: {text}");
    let mut compared = banks.len();
    for (script, prefix) in [("vivado/pblocks.xdc", ""), ("vitis/place_cores.tcl", "*/u_cores/")] {
        let calls = vivado(&folder, script, &[]);
        assert_eq!(calls.len(), 6, "{script}: {calls:?}");
        for (slr, calls) in calls.chunks(3).enumerate() {
            assert_eq!(calls[1][2..], ["-add".to_owned(), format!("SLR{slr}")], "{script}");
            let cells = calls[2].join(" ");
            for cell in ["core", "link"] {
                assert!(cells.contains(&format!("{prefix}u_{cell}{slr}")), "{script}: {cells}");
                assert!(!cells.contains(&format!("{prefix}u_{cell}{}", 1 - slr)), "{script}: {cells}");
                compared += 2;
            }
        }
    }
    let summary: serde_json::Value = serde_json::from_str(folder.text("summary.json")).expect("JSON");
    for (core, cycles) in [(0, 0), (1, 2)] {
        let entry = &summary["cores"][core];
        assert_eq!(
            (&entry["slr"], &entry["memory_cycles"], &entry["link_cycles"]),
            (&core.into(), &cycles.into(), &2.into())
        );
        assert_eq!(summary["resources"]["regions"][core]["slr"], core);
        compared += 4;
    }
    println!("compared {compared} names and figures");
}

#[test]
fn equal_arguments_give_equal_bytes() {
    let mut bytes = 0;
    for name in ["tiny", "u280-1core"] {
        let (first, second) = (Folder::new(&machine(name)), Folder::new(&machine(name)));
        assert_eq!(first.files, second.files);
        let paths: BTreeSet<&str> = first.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths.len(), first.files.len(), "paths are unique");
        bytes += first.files.iter().map(|file| file.text.len()).sum::<usize>();
    }
    println!("compared {bytes} bytes");
    assert!(bytes > 0);
}

#[test]
fn the_summary_states_shares_and_latencies_of_the_machine() {
    let folder = Folder::new(&machine("u280-1core"));
    let summary: serde_json::Value = serde_json::from_str(folder.text("summary.json")).expect("JSON");
    let machine = &folder.machine;
    let resources = machine.resources();
    let mut compared = 0;
    for kind in Resource::ALL {
        let entry = &summary["resources"]["core"][kind.name().to_lowercase()];
        let used = resources.total.of(kind);
        assert_eq!(entry["used"], used);
        for (key, region) in
            [("percent_of_slr", &machine.board.slrs[resources.slr]), ("percent_of_board", &machine.board.total)]
        {
            let stated = entry[key].as_f64().expect("a number") / 100.0 * kind.of(region) as f64;
            assert!((stated - used as f64).abs() <= 0.0001 * kind.of(region) as f64, "{kind:?} {key}: {stated} {used}");
            compared += 1;
        }
    }
    let modules = summary["resources"]["modules"].as_array().expect("a list");
    assert_eq!(modules.len(), resources.units.len());
    let masters = summary["ports"].as_array().expect("a list").iter().filter(|port| port["kind"] == "AXI4 master");
    assert_eq!(masters.count(), machine.memory.channels as usize + 1);
    let listed = summary["files"].as_array().expect("a list").len();
    assert_eq!(listed + 1, folder.files.len(), "every file but the summary itself");
    compared += folder::check_vector_latencies(machine, &summary["latency_cycles"]["vector"]);
    println!("compared {compared} figures");
    assert!(compared > 20);
}

#[test]
fn the_kernel_top_is_clean() {
    for name in ["tiny", "tiny-2core", "tiny-bit-serial", "u280-1core"] {
        let folder = Folder::write(&machine(name), &format!("lint-{name}"));
        let (success, output) = folder.make(Bench::Lint, 0, 1);
        assert!(success && !output.contains("arning"), "{name}: {output}");
    }
}

#[test]
fn the_kernel_runs_a_step_through_its_ports() {
    let folder = Folder::write(&machine("tiny"), "kernel");
    let mut compared = bus::run_kernel(&folder, false) + bus::run_kernel(&folder, true);
    folder.bend_program();
    compared += bus::run_refused(&folder);
    println!("compared {compared} bytes");
    assert_eq!(compared, 4 * 4096 + 1);
}

/// Both near their memories, since the stand-in core does not take every beat at once.
fn two_near_cores() -> Machine {
    folder::machine_with("tiny-2core", &[("core.slr", "[0, 0]")])
}

#[test]
fn a_kernel_of_two_cores_runs_a_step_through_its_ports() {
    let folder = Folder::write(&two_near_cores(), "kernel-2core");
    let mut compared = bus::run_kernel(&folder, true);
    folder.bend_program();
    compared += bus::run_refused(&folder);
    println!("compared {compared} bytes");
    assert_eq!(compared, 4 * 4096 + 1);
}

/// What `make` would run, without running it.
#[test]
fn verilator_is_told_to_leave_out_what_it_gets_wrong() {
    let folder = Folder::write(&machine("tiny"), "flags");
    let command = |arguments: &[&str]| {
        let output = Command::new("make").current_dir(folder.path.join("tb")).args(arguments).output();
        let output = output.expect("make, from the Debian package make");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains("--cc --exe --build"), "{arguments:?}: {text}");
        text.contains(" -fno-dfg ")
    };
    assert!(command(&["-n", "verilator"]), "as it stands");
    assert!(!command(&["-n", "verilator", "VERILATOR_FLAGS="]), "for a Verilator that does not know the flag");
}

#[test]
fn test_benches_pass_and_see_a_wrong_byte() {
    let folder = Folder::write(&machine("tiny"), "benches");
    let mut runs = 0;
    for bench in [Bench::Verilator, Bench::Icarus] {
        for (stall, seed) in [(0, 1), (40, 2), (80, 3)] {
            let (success, output) = folder.make(bench, stall, seed);
            assert!(success && output.contains(&folder.verdict()), "{bench:?}, stall {stall}: {output}");
            runs += 1;
        }
    }
    // A byte that the program writes, and one that it does not, expected otherwise.
    for at in [16 * 32 + 5, 3] {
        folder.bend_expectation(at);
        for bench in [Bench::Verilator, Bench::Icarus] {
            let (success, output) = folder.make(bench, 0, 1);
            let fault = format!("channel 1 byte 0x{at:x}");
            assert!(!success && output.contains("FAIL") && output.contains(&fault), "{bench:?}: {output}");
            runs += 1;
        }
        folder.bend_expectation(at);
    }
    // A word that the core refuses.
    folder.bend_program();
    for bench in [Bench::Verilator, Bench::Icarus] {
        let (success, output) = folder.make(bench, 0, 1);
        assert!(!success && output.contains("FAIL"), "{bench:?}: {output}");
        runs += 1;
    }
    println!("{runs} runs of test benches");
}

#[test]
fn test_benches_pass_with_one_channel_and_with_many() {
    let mut runs = 0;
    for (name, overrides) in [("tiny", &[("memory.channels", "1")][..]), ("u280-1core", &[])] {
        let folder = Folder::write(&folder::machine_with(name, overrides), &format!("benches-{name}"));
        for bench in [Bench::Verilator, Bench::Icarus] {
            let (success, output) = folder.make(bench, 30, 1);
            assert!(success && output.contains(&folder.verdict()), "{name}, {bench:?}: {output}");
            runs += 1;
        }
    }
    let folder = Folder::write(&two_near_cores(), "benches-2core");
    for bench in [Bench::Verilator, Bench::Icarus] {
        let (success, output) = folder.make(bench, 30, 1);
        assert!(success && output.contains(&folder.verdict()), "two cores, {bench:?}: {output}");
        runs += 1;
    }
    println!("{runs} runs of test benches");
}

#[test]
fn the_host_program_runs_a_step() {
    let folder = Folder::write(&machine("tiny"), "host");
    let (success, output) = folder.host();
    assert!(success && output.contains(&folder.verdict()), "{output}");
    let two = Folder::write(&two_near_cores(), "host-2core");
    let (success, output) = two.host();
    assert!(success && output.contains(&two.verdict()), "two cores: {output}");
    folder.bend_expectation(16 * 32 + 5);
    let (success, output) = folder.host();
    assert!(!success && output.contains("FAIL") && output.contains("channel 1 byte 0x205"), "{output}");
}
