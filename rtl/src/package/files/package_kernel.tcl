
# Reads the Verilog into a scratch project and packages it as an IP in `ip_folder`, with the interfaces, the registers
# and the properties that Vitis asks of an RTL kernel (UG1393, "Packaging RTL Kernels"). The caller sets `ip_folder`.

set scratch_folder [file join [file dirname $ip_folder] scratch]
create_project -force kernel_pack $scratch_folder
foreach source $sources {
    add_files -norecurse [file join $rtl_folder $source]
}
foreach header $headers {
    add_files -norecurse [file join $rtl_folder $header]
}
set_property include_dirs $rtl_folder [current_fileset]
set_property top $kernel [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir $ip_folder -vendor lapwing -library RTLKernel -taxonomy /KernelIP \
    -import_files -set_current false
ipx::unload_core $ip_folder/component.xml
ipx::edit_ip_in_project -upgrade true -name tmp_edit -directory $ip_folder $ip_folder/component.xml
set core [ipx::current_core]

# The sizes are fixed: nothing is to be set by whoever uses the IP.
foreach parameter [ipx::get_user_parameters] {
    ipx::remove_user_parameter [get_property NAME $parameter] $core
}

# Every AXI interface runs with ap_clk. Bursts are INCR and of full width: no adapter is needed.
foreach interface [concat s_axi_control $masters] {
    ipx::associate_bus_interfaces -busif $interface -clock ap_clk $core
}
foreach master $masters {
    set bus [ipx::get_bus_interfaces $master -of_objects $core]
    foreach {name value} {HAS_BURST 0 SUPPORTS_NARROW_BURST 0} {
        set parameter [ipx::add_bus_parameter -quiet $name $bus]
        set_property value $value $parameter
    }
}

# The registers of s_axi_control: name, offset, bits, and for addresses the interface that they are for.
set map [ipx::add_memory_map -quiet s_axi_control $core]
set block [ipx::add_address_block -quiet reg0 $map]
set_property range $control_bytes $block
foreach {name offset bits interface} $registers {
    set register [ipx::add_register -quiet $name $block]
    set_property address_offset $offset $register
    set_property size $bits $register
    if {$interface ne ""} {
        set parameter [ipx::add_register_parameter -quiet ASSOCIATED_BUSIF $register]
        set_property value $interface $parameter
    }
}
set_property slave_memory_map_ref s_axi_control [ipx::get_bus_interfaces s_axi_control -of_objects $core]

set_property sdx_kernel true $core
set_property sdx_kernel_type rtl $core
set_property supported_families {} $core
set_property auto_family_support_level level_2 $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity -kernel $core
ipx::save_core $core
close_project -delete
