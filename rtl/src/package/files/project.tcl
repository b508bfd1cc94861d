
# A Vivado project of the folder, to look at and to build in the graphical interface:
#   vivado -mode batch -source project.tcl [-tclargs PART]

set script_folder [file dirname [file normalize [info script]]]
set rtl_folder [file normalize [file join $script_folder .. rtl]]
if {[llength $argv] > 0} {
    set part [lindex $argv 0]
}
if {$part eq ""} {
    error "no part is known for board $board; call vivado -source project.tcl -tclargs PART"
}

create_project -force $project [file join $script_folder build project] -part $part
foreach source $sources {
    add_files -norecurse [file join $rtl_folder $source]
}
set_property include_dirs $rtl_folder [current_fileset]
add_files -fileset constrs_1 -norecurse [file join $script_folder clock.xdc]
add_files -fileset constrs_1 -norecurse [file join $script_folder pblocks.xdc]
set_property used_in_synthesis false [get_files [file join $script_folder pblocks.xdc]]
# The top alone has thousands of ports: it is synthesised and placed without pins.
set_property top $top [current_fileset]
set_property -name {STEPS.SYNTH_DESIGN.ARGS.MORE OPTIONS} -value {-mode out_of_context} -objects [get_runs synth_1]
update_compile_order -fileset sources_1
