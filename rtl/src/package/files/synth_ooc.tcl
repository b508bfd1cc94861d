
# Synthesis of the core, or all cores, out of context, with reports; "implement" also places and routes in their SLRs:
#   vivado -mode batch -source synth_ooc.tcl [-tclargs synthesise|implement [PART]]

set script_folder [file dirname [file normalize [info script]]]
set rtl_folder [file normalize [file join $script_folder .. rtl]]
set goal synthesise
if {[llength $argv] > 0} {
    set goal [lindex $argv 0]
}
if {$goal ni {synthesise implement}} {
    error "got $goal, expected synthesise or implement"
}
if {[llength $argv] > 1} {
    set part [lindex $argv 1]
}
if {$part eq ""} {
    error "no part is known for board $board; call vivado -source synth_ooc.tcl -tclargs $goal PART"
}
set report_folder [file join $script_folder build reports]
file mkdir $report_folder

foreach source $sources {
    read_verilog [file join $rtl_folder $source]
}
read_xdc [file join $script_folder clock.xdc]
synth_design -top $top -part $part -mode out_of_context -include_dirs $rtl_folder
report_utilization -file [file join $report_folder utilisation_synthesis.txt]
report_utilization -hierarchical -file [file join $report_folder utilisation_by_module.txt]
report_timing_summary -file [file join $report_folder timing_synthesis.txt]
write_checkpoint -force [file join $report_folder ${top}_synthesis.dcp]

if {$goal eq "implement"} {
    read_xdc [file join $script_folder pblocks.xdc]
    opt_design
    place_design
    phys_opt_design
    route_design
    report_utilization -file [file join $report_folder utilisation_routed.txt]
    report_utilization -slr -file [file join $report_folder utilisation_by_slr.txt]
    report_timing_summary -file [file join $report_folder timing_routed.txt]
    report_power -file [file join $report_folder power_routed.txt]
    write_checkpoint -force [file join $report_folder ${top}_routed.dcp]
}
